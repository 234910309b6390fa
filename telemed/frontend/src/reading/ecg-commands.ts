/** The keys of the ECG; none of them does anything where no ECG is shown. */
import type { Command } from "../core/keys";
import type { TextKey } from "../core/page";
import { formats } from "../ecg/sheet";
import type { EcgBench } from "./ecg-bench";
import type { EcgPanel } from "./ecg-panel";

/** ms and mV that an arrow moves the caliper by; with Ctrl the second. */
const FINE = { time: 2, amplitude: 0.01 } as const;
const COARSE = { time: 20, amplitude: 0.1 } as const;

export function ecgCommands(ecg: EcgPanel, bench: EcgBench): Command[] {
  const command = (keys: readonly string[], label: TextKey, run: (pressed?: string) => unknown): Command => ({
    keys,
    label,
    run: (pressed) => (ecg.shown ? run(pressed) : false),
  });
  const nudge = (key: string, label: TextKey, x: number, y: number): Command =>
    command([key, `Ctrl+${key}`], label, (pressed) => {
      const { time, amplitude } = pressed?.startsWith("Ctrl+") ? COARSE : FINE;
      return ecg.caliper.nudge(x * time, y * amplitude);
    });
  return [
    ...formats.map((format, index) =>
      command([String(index + 1)], `ui.key.format.${format}`, () => ecg.setFormat(index)),
    ),
    command(["b"], "ui.key.cabrera", () => ecg.toggleOrder()),
    command(["l"], "ui.key.enlarge", () => ecg.enlarge()),
    command(["."], "ui.key.next_lead", () => ecg.stepLead(1)),
    command([","], "ui.key.previous_lead", () => ecg.stepLead(-1)),
    command(["+", "="], "ui.key.more_gain", () => ecg.stepGain(1)),
    command(["-"], "ui.key.less_gain", () => ecg.stepGain(-1)),
    command(["9"], "ui.key.chest_half", () => ecg.toggleChest()),
    command(["s"], "ui.key.speed", () => ecg.stepSpeed()),
    command(["f"], "ui.key.lowpass", () => ecg.stepLowPass()),
    command(["w"], "ui.key.baseline", () => ecg.stepBaseline()),
    command(["o"], "ui.key.notch", () => ecg.toggleNotch()),
    command(["g"], "ui.key.ink", () => ecg.toggleInk()),
    command(["Ctrl+p"], "ui.key.print", () => window.print()),
    command(["]"], "ui.key.page_forward", () => ecg.turn(1)),
    command(["["], "ui.key.page_back", () => ecg.turn(-1)),
    command(["7"], "ui.key.compare", () => bench.toggleCompare()),
    command(["0"], "ui.key.flip", () => bench.flip()),
    command(["8"], "ui.key.compare_mode", () => bench.compare.stepMode()),
    command(["y"], "ui.key.marks", () => bench.beat.focus()),
    command(["v"], "ui.key.keep_marks", () => bench.beat.keep()),
    command(["q"], "ui.key.caliper", () => ecg.placeCaliper()),
    command(["t"], "ui.key.caliper_swap", () => ecg.caliper.swap()),
    command(["m"], "ui.key.caliper_march", () => ecg.caliper.march()),
    nudge("ArrowLeft", "ui.key.caliper_left", -1, 0),
    nudge("ArrowRight", "ui.key.caliper_right", 1, 0),
    nudge("ArrowUp", "ui.key.caliper_up", 0, 1),
    nudge("ArrowDown", "ui.key.caliper_down", 0, -1),
  ];
}
