/** The right person: searched within the institution, chosen by hand, never proposed by the software. */
import { get } from "../core/api";
import { h } from "../core/dom";
import { problemMessage } from "../core/messages";
import { t } from "../core/page";
import { sexText } from "../core/patient";
import type { FoundOrder, FoundPerson } from "./types";

const WAIT = 300;
let searches = 0;

export class PersonSearch {
  readonly element: HTMLElement;
  chosen: FoundPerson | null = null;
  private readonly input: HTMLInputElement;
  private readonly results = h("div", { class: "people", role: "radiogroup" });
  private readonly order = h("select", {});
  private readonly orderPlace: HTMLElement;
  private readonly name = `person-${++searches}`;
  private readonly own: string;
  private readonly modality: string;
  private readonly onChosen: ((one: FoundPerson) => void) | undefined;
  private timer = 0;
  private latest = 0;

  /**
   * `own` is the number it is filed under now: that one cannot be chosen. `modality` tells which orders fit.
   * With `onChosen` the person alone is asked for, and told at once.
   */
  constructor(
    own: string,
    modality: string,
    label = t("ui.correction.search"),
    onChosen?: (one: FoundPerson) => void,
  ) {
    this.own = own;
    this.modality = modality;
    this.onChosen = onChosen;
    const id = `${this.name}-q`;
    this.input = h("input", { id, type: "search", maxlength: 64, autocomplete: "off" });
    this.input.placeholder = t("ui.correction.search_hint");
    this.results.setAttribute("aria-label", onChosen ? label : t("ui.correction.chosen"));
    this.order.id = `${this.name}-order`;
    this.orderPlace = h(
      "div",
      { class: "field", hidden: true },
      h("label", { for: this.order.id }, t("ui.correction.order")),
      this.order,
    );
    this.element = h(
      "div",
      { class: "person-search" },
      h("div", { class: "field" }, h("label", { for: id }, label), this.input),
      this.results,
      this.orderPlace,
    );
    this.input.addEventListener("input", () => {
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => void this.search(), WAIT);
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      // Enter searches; it must not send the form around it.
      event.preventDefault();
      window.clearTimeout(this.timer);
      void this.search();
    });
  }

  get accession(): string {
    return this.order.value;
  }

  focus(): void {
    this.input.focus();
  }

  private async search(): Promise<void> {
    const asked = ++this.latest;
    const q = this.input.value.trim();
    this.choose(null);
    if (!q) {
      this.results.replaceChildren();
      return;
    }
    try {
      const answer = await get<{ people: FoundPerson[] }>(`/api/v1/patients?q=${encodeURIComponent(q)}`);
      if (asked !== this.latest) return;
      const people = answer.people.filter((one) => one.patient_id !== this.own);
      this.results.replaceChildren(
        ...(people.length > 0
          ? people.map((one) => this.choice(one))
          : [h("p", { class: "muted", role: "status" }, t("ui.correction.found_none"))]),
      );
    } catch (cause) {
      if (asked === this.latest) this.results.replaceChildren(problemMessage(cause));
    }
  }

  private choice(one: FoundPerson): HTMLElement {
    const radio = h("input", { type: "radio", name: this.name, value: one.patient_id });
    radio.addEventListener("change", () => this.choose(one));
    return h(
      "label",
      { class: "person" },
      radio,
      h("strong", {}, one.name || t("ui.name.none")),
      h("span", {}, one.sex ? sexText(one.sex) : ""),
      h("span", {}, one.birth_date ?? ""),
      h("span", { class: "mono" }, one.patient_id),
      h("span", { class: "muted" }, one.id_last4 ? `···${one.id_last4}` : ""),
    );
  }

  private choose(one: FoundPerson | null): void {
    this.chosen = one;
    if (this.onChosen) {
      if (one) this.onChosen(one);
      return;
    }
    this.orderPlace.hidden = !one;
    this.order.replaceChildren(
      h("option", { value: "" }, t("ui.correction.no_order")),
      ...(one?.orders ?? []).map((order) => h("option", { value: order.accession_number }, orderText(order))),
    );
    // What is still open is most likely what was meant; it is shown, and may be changed.
    const open = (one?.orders ?? []).filter((order) => !order.performed && order.modality === this.modality);
    if (open.length === 1 && open[0]) this.order.value = open[0].accession_number;
  }
}

function orderText(order: FoundOrder): string {
  const exam = `${order.modality} ${order.description}`.trim();
  const key = order.performed ? "ui.correction.order_done" : "ui.correction.order_open";
  return t(key, { number: order.accession_number, exam });
}
