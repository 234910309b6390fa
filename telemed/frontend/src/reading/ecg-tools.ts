/** The controls over an ECG: what they show is what is drawn. */
import { h } from "../core/dom";
import { t } from "../core/page";
import { type InkName, inks } from "../ecg/draw";
import { baselines, effective, type Filter, lowPasses, possible } from "../ecg/filters";
import { formats, gains, pageSeconds, type Settings, speeds } from "../ecg/sheet";
import type { Waveform } from "../ecg/waveform";

export interface ToolsHost {
  change(part: Partial<Settings>): void;
  filter(part: Partial<Filter>): void;
  turn(pages: number): void;
  toggleInk(): void;
}

export function ecgTools(
  waveform: Waveform,
  settings: Settings,
  ink: InkName,
  host: ToolsHost,
): (HTMLElement | "")[] {
  const { filter, format } = settings;
  const hertz = (value: number, off: string): string => (value ? `${value} Hz` : off);
  return [
    choice(
      "ecg-format",
      t("ui.ecg.format"),
      formats,
      format,
      (one) => t(`ui.ecg.format.${one}`),
      (one) => host.change({ format: one, start: 0 }),
    ),
    choice(
      "ecg-rhythm",
      t("ui.ecg.rhythm"),
      waveform.leads,
      settings.rhythm,
      (lead) => lead,
      (rhythm) => host.change({ rhythm }),
      format === "6x2" || format === "12x1",
    ),
    toggle("ecg-order", t("ui.ecg.cabrera"), settings.order === "cabrera", () =>
      host.change({ order: settings.order === "cabrera" ? "standard" : "cabrera" }),
    ),
    choice(
      "ecg-speed",
      t("ui.ecg.speed"),
      speeds,
      settings.speed,
      (value) => `${value} mm/s`,
      (speed) => host.change({ speed }),
    ),
    choice(
      "ecg-gain",
      t("ui.ecg.gain"),
      gains,
      settings.gain,
      (value) => `${value} mm/mV`,
      (gain) => host.change({ gain }),
    ),
    toggle(
      "ecg-chest",
      t("ui.ecg.chest_half.short"),
      settings.chestHalf,
      () => host.change({ chestHalf: !settings.chestHalf }),
      t("ui.ecg.chest_half"),
    ),
    choice(
      "ecg-baseline",
      t("ui.ecg.baseline"),
      baselines,
      filter.baseline,
      (value) => t("ui.ecg.baseline.value", { value: hertz(value, t("ui.ecg.off")) }),
      (baseline) => host.filter({ baseline }),
    ),
    choice(
      "ecg-lowpass",
      t("ui.ecg.lowpass"),
      lowPasses.filter((value) => possible(value, waveform.rate)),
      effective(filter, waveform.rate).lowPass,
      (value) => t("ui.ecg.lowpass.value", { value: hertz(value, t("ui.ecg.off")) }),
      (lowPass) => host.filter({ lowPass }),
    ),
    toggle(
      "ecg-notch",
      "50 Hz",
      filter.notch,
      () => host.filter({ notch: !filter.notch }),
      t("ui.ecg.notch"),
    ),
    choice(
      "ecg-ink",
      t("ui.ecg.ink"),
      Object.keys(inks) as InkName[],
      ink,
      (one) => t(`ui.ecg.ink.${one}`),
      () => host.toggleInk(),
    ),
    pager(waveform, settings, host) ?? "",
  ];
}

/** Speed, gain and what the drawn line is without, as they stand on the sheet and in print. */
export function caption(waveform: Waveform, { speed, gain, chestHalf, filter }: Settings): string {
  const done = effective(filter, waveform.rate);
  const filters = [
    done.baseline && t("ui.ecg.baseline.value", { value: `${done.baseline} Hz` }),
    done.lowPass && t("ui.ecg.lowpass.value", { value: `${done.lowPass} Hz` }),
    done.notch && t("ui.ecg.notch"),
  ].filter((text) => typeof text === "string");
  const filtered = filters.length > 0 ? t("ui.ecg.filtered", { filters: filters.join(" + ") }) : "";
  return [
    `${speed} mm/s`,
    `${gain} mm/mV`,
    chestHalf ? t("ui.ecg.chest_gain", { gain: gain / 2 }) : "",
    filtered || t("ui.ecg.unfiltered"),
    done.baseline >= 0.5 ? t("ui.ecg.st_unsafe") : "",
    `${Math.round(waveform.rate)} Hz`,
  ]
    .filter(Boolean)
    .join(" · ");
}

function pager(waveform: Waveform, settings: Settings, host: ToolsHost): HTMLElement | null {
  const seconds = pageSeconds(settings.format);
  const pages = Math.ceil(waveform.duration / seconds - 1e-6);
  if (pages <= 1) return null;
  const number = Math.floor(settings.start / seconds) + 1;
  const button = (id: string, label: string, sign: string, step: number): HTMLElement =>
    h(
      "button",
      { type: "button", class: "quiet", id, "aria-label": label, onclick: () => host.turn(step) },
      sign,
    );
  return h(
    "span",
    { class: "pager" },
    button("ecg-back", t("ui.ecg.page_back"), "‹", -1),
    t("ui.ecg.page", { number, pages }),
    button("ecg-forward", t("ui.ecg.page_forward"), "›", 1),
  );
}

function toggle(id: string, text: string, on: boolean, run: () => void, label = text): HTMLElement {
  return h(
    "button",
    {
      type: "button",
      class: "quiet",
      id,
      "aria-pressed": String(on),
      // What is to be read stands in what is to be heard: whoever speaks to the page says what they see (2.5.3).
      "aria-label": label === text ? text : `${text} ${label}`,
      title: label,
      onclick: run,
    },
    text,
  );
}

function choice<T extends string | number>(
  id: string,
  label: string,
  values: readonly T[],
  current: T,
  text: (value: T) => string,
  choose: (value: T) => void,
  disabled = false,
): HTMLElement {
  const select = h(
    "select",
    {
      id,
      disabled,
      "aria-label": label,
      title: label,
      onchange: () => {
        const value = values[select.selectedIndex];
        if (value !== undefined) choose(value);
      },
    },
    ...values.map((value) => h("option", { selected: value === current }, text(value))),
  );
  return select;
}
