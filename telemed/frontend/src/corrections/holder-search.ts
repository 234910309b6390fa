/** The holder of a card that somebody has before them, beside the patient it is to be linked to. */
import { send } from "../core/api";
import { h } from "../core/dom";
import { message, problemMessage } from "../core/messages";
import { t } from "../core/page";
import { asPerson, sides } from "./sides";
import type { Holder, Standing } from "./types";

export class HolderSearch {
  readonly element: HTMLElement;
  private readonly standing: Standing;
  private readonly input = h("input", {
    id: "holder-card",
    maxlength: 18,
    autocomplete: "off",
    spellcheck: false,
    class: "mono",
  });
  private readonly result = h("div", { "aria-live": "polite" });
  // What was found, and under which number: a number changed since is to be looked for again.
  private found: { number: string; holder: Holder } | null = null;

  constructor(standing: Standing) {
    this.standing = standing;
    const button = h("button", { type: "button" }, t("ui.resident.find"));
    this.element = h(
      "div",
      { class: "person-search" },
      h(
        "div",
        { class: "field" },
        h("label", { for: this.input.id }, t("ui.resident.card")),
        h("div", { class: "with-button" }, this.input, button),
      ),
      this.result,
    );
    button.addEventListener("click", () => void this.find());
    this.input.addEventListener("input", () => this.forget());
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      // Enter looks for the holder; it must not send the form around it.
      event.preventDefault();
      void this.find();
    });
  }

  get number(): string {
    return this.input.value.trim().toUpperCase();
  }

  /** Why this number cannot be linked, in words; empty where it can. */
  get obstacle(): string {
    const { found } = this;
    if (!found || found.number !== this.number) return t("ui.resident.find_first");
    if (found.holder.resident && found.holder.resident.id === this.standing.resident?.id)
      return t("ui.resident.same");
    const against = found.holder.differing.map((field) => t(`ui.correction.${field}`));
    if (against.length === 0) return "";
    return t("ui.resident.contradicts", { fields: against.join(t("ui.resident.comma")) });
  }

  focus(): void {
    this.input.focus();
  }

  private forget(): void {
    this.found = null;
    this.result.replaceChildren();
    this.input.removeAttribute("aria-invalid");
  }

  private async find(): Promise<void> {
    const { number } = this;
    this.forget();
    if (!number) return this.focus();
    const path = `/api/v1/patients/${encodeURIComponent(this.standing.id)}/resident/find`;
    try {
      const holder = await send<Holder>("POST", path, { id_card_number: number });
      if (number !== this.number) return;
      this.found = { number, holder };
      this.show(holder);
    } catch (cause) {
      this.input.setAttribute("aria-invalid", "true");
      this.result.replaceChildren(problemMessage(cause));
    }
  }

  private show(holder: Holder): void {
    const patient = { title: t("ui.resident.patient"), person: { ...this.standing.person, id_last4: "" } };
    const { obstacle } = this;
    const parts: HTMLElement[] = [];
    if (holder.resident) {
      const person = asPerson(holder.resident);
      parts.push(sides(patient, { title: t("ui.resident.holder"), person }, holder.differing));
    } else if (!obstacle) {
      parts.push(message("good", t("ui.resident.not_registered", { last4: holder.id_last4 })));
    }
    if (obstacle) parts.push(message("problem", obstacle));
    this.result.replaceChildren(...parts);
  }
}
