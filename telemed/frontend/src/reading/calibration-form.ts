/** One measurement with a ruler or a bank card makes every millimetre on this screen true. */
import { h, setText } from "../core/dom";
import { t } from "../core/page";
import { calibrate, currentScale, NOMINAL, uncalibrate } from "../ecg/calibration";

/** A bank card is 85.60 mm wide (ISO/IEC 7810 ID-1). */
const references = { ruler: 100, card: 85.6 } as const;
type Reference = keyof typeof references;

export function calibrationForm(done: () => void): HTMLElement {
  let reference: Reference = "ruler";
  let pxPerMm = currentScale().cssPxPerMm;
  const bar = h("div", { class: "calibration-bar", "aria-hidden": "true" });
  const value = h("output", {});
  const slider = h("input", {
    type: "range",
    id: "calibration-slider",
    min: "2",
    max: "12",
    step: "0.005",
    oninput: () => {
      pxPerMm = Number(slider.value);
      draw();
    },
  });
  const draw = (): void => {
    slider.value = String(pxPerMm);
    bar.style.width = `${pxPerMm * references[reference]}px`;
    setText(value, t("ui.scale.value", { value: pxPerMm.toFixed(3) }));
    setText(explanation, t(`ui.scale.measure.${reference}`));
  };
  const explanation = h("p", {});
  const options = (Object.keys(references) as Reference[]).map((name) =>
    h(
      "label",
      {},
      h("input", {
        type: "radio",
        name: "reference",
        checked: name === reference,
        onchange: () => {
          reference = name;
          draw();
        },
      }),
      t(`ui.scale.${name}`),
    ),
  );
  const form = h(
    "form",
    {
      class: "calibration",
      "aria-label": t("ui.scale.title"),
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        calibrate(pxPerMm);
        done();
      },
    },
    h("div", { class: "choices" }, ...options),
    explanation,
    bar,
    h("label", { for: "calibration-slider" }, t("ui.scale.slider")),
    slider,
    value,
    h(
      "div",
      { class: "choices" },
      h("button", { type: "submit", class: "primary" }, t("ui.scale.save")),
      h("button", { type: "button", onclick: done }, t("ui.cancel")),
      h(
        "button",
        {
          type: "button",
          class: "quiet",
          onclick: () => {
            uncalibrate();
            pxPerMm = NOMINAL;
            done();
          },
        },
        t("ui.scale.reset"),
      ),
    ),
  );
  draw();
  return form;
}
