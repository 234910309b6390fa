/** The short order form and a file of orders. */
import { Problem, send } from "../core/api";
import { find, h } from "../core/dom";
import { message, problemMessage } from "../core/messages";
import { t } from "../core/page";

interface CsvAnswer {
  created: number;
  existing: number;
  errors: { line: number; problem: string | { detail?: string } }[];
}

export function startOrders(onOrder: () => void): void {
  const form = find<HTMLFormElement>("#order-form");
  const notes = find<HTMLElement>("#order-notes");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const submit = find<HTMLButtonElement>("button[type=submit]", form);
    submit.disabled = true;
    for (const field of Array.from(form.querySelectorAll("[aria-invalid]")))
      field.removeAttribute("aria-invalid");
    try {
      const order = await send<{ accession_number: string }>("POST", "/api/v1/orders", orderOf(form));
      notes.replaceChildren(message("good", t("ui.order.created", { number: order.accession_number })));
      form.reset();
      find<HTMLInputElement>("[name=name]", form).focus();
      onOrder();
    } catch (cause) {
      const problem = problemMessage(cause);
      notes.replaceChildren(problem);
      if (cause instanceof Problem) {
        markField(form, cause.field);
        problem.append(...wayOut(cause));
      }
    }
    submit.disabled = false;
  });

  const csv = find<HTMLInputElement>("#order-csv");
  csv.addEventListener("change", async () => {
    const [file] = Array.from(csv.files ?? []);
    if (!file) return;
    const body = new FormData();
    body.append("file", file, file.name);
    try {
      notes.replaceChildren(csvResult(await send<CsvAnswer>("POST", "/api/v1/orders/csv", body)));
      onOrder();
    } catch (cause) {
      notes.replaceChildren(problemMessage(cause));
    }
    csv.value = "";
  });
}

function orderOf(form: HTMLFormElement): object {
  const data = new FormData(form);
  const text = (name: string): string => String(data.get(name) ?? "").trim();
  const card = text("id_card_number").toUpperCase();
  const accession = text("accession_number");
  const at = text("scheduled_at");
  const station = text("station_ae_title");
  const codes = ["code_value", "code_scheme", "code_meaning"].map((name) => [name, text(name)] as const);
  return {
    ...(accession ? { accession_number: accession } : {}),
    patient: {
      patient_id: text("patient_id"),
      name: text("name"),
      sex: text("sex"),
      birth_date: text("birth_date"),
      ...(card ? { id_card_number: card } : {}),
    },
    modality: text("modality"),
    description: text("description"),
    body_part: text("body_part"),
    priority: text("priority"),
    clinical_history: text("clinical_history"),
    ...(at ? { scheduled_at: at } : {}),
    ...(station ? { station_ae_title: station } : {}),
    ...Object.fromEntries(codes.filter(([, value]) => value)),
  };
}

/** A wrong link is corrected elsewhere; in a place of its own, so that the order stays as it is filled in. */
function wayOut(cause: Problem): HTMLElement[] {
  const { patient } = cause.params;
  if (cause.code !== "error.patient_is_other_resident" || typeof patient !== "string") return [];
  const href = `/corrections?patient=${encodeURIComponent(patient)}`;
  return [h("a", { href, target: "_blank", rel: "noopener" }, t("ui.resident.correct"))];
}

function markField(form: HTMLFormElement, field: string | undefined): void {
  const name = field?.split(".").pop();
  const input = Array.from(form.elements).find((element) => element.getAttribute("name") === name);
  if (input instanceof HTMLElement) {
    const folded = input.closest("details");
    if (folded) folded.open = true;
    input.setAttribute("aria-invalid", "true");
    input.focus();
  }
}

function csvResult(answer: CsvAnswer): HTMLElement {
  const { created, existing, errors } = answer;
  const result = message(
    errors.length > 0 ? "warning" : "good",
    t("ui.order.csv", { created, existing, failed: errors.length }),
  );
  const lines = errors.map(({ line, problem }) =>
    h(
      "li",
      {},
      t("ui.order.csv_line", {
        line,
        problem: typeof problem === "string" ? problem : (problem.detail ?? ""),
      }),
    ),
  );
  if (lines.length > 0) result.append(h("ul", {}, ...lines));
  return result;
}
