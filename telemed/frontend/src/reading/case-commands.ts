/** The keys of an open case: its report, what the machine says, critical values, and the ways out of it. */
import type { Command } from "../core/keys";
import type { TextKey } from "../core/page";
import type { CaseView } from "./case-view";
import type { Verdict } from "./own-reading";

export interface Ways {
  undo: Command;
  neighbour(step: 1 | -1): boolean;
  leave(): void;
}

export function commandsOfCase(view: CaseView, { undo, neighbour, leave }: Ways): Command[] {
  const { report, critical } = view;
  const anywhere = (keys: readonly string[], label: TextKey, run: Command["run"]): Command => ({
    keys,
    label,
    run,
    whileTyping: true,
  });
  // Over a picture the letter alone is a tool's: a verdict is never given by a hand that meant to zoom.
  const judge = (letter: string, label: TextKey, verdict: Verdict): Command =>
    anywhere([letter, `Alt+${letter}`], label, (pressed) =>
      pressed === letter && view.pictured ? false : view.judgeNext(verdict),
    );
  return [
    anywhere(["n", "Alt+n"], "ui.key.normal", () => report.words.normal()),
    anywhere(["d", "Alt+d"], "ui.key.draft", () => report.words.takeDraft()),
    judge("a", "ui.key.accept", "accepted"),
    judge("h", "ui.key.edit_finding", "edited"),
    judge("z", "ui.key.reject", "rejected"),
    { keys: ["e"], label: "ui.key.edit", run: () => report.focus() },
    anywhere(["Ctrl+Enter"], "ui.key.sign", () => void report.finish()),
    anywhere(["Alt+Enter"], "ui.key.preliminary", () => void report.releasePreliminary()),
    undo,
    anywhere(["Alt+t"], "ui.key.templates", () => report.words.chooseTemplate()),
    anywhere(["Alt+o"], "ui.key.priors", () => view.priors.toggle()),
    { keys: ["r"], label: "ui.key.return", run: () => report.questions.sendBack() },
    anywhere(["k", "Alt+k"], "ui.key.critical", () => critical.ask()),
    anywhere(["Alt+j"], "ui.key.critical_card", () => critical.toCard()),
    { keys: ["x"], label: "ui.key.repeat", run: () => report.questions.repeat() },
    { keys: ["c"], label: "ui.key.claim", run: () => void view.claim() },
    anywhere(["Alt+c"], "ui.key.take", () => report.questions.take()),
    anywhere(["Alt+l"], "ui.take.ask", () => report.questions.holder()),
    anywhere(["Alt+r"], "ui.amend.title", () => report.questions.amend()),
    anywhere(["Alt+b"], "ui.key.mark_abnormal", () => report.words.toggleMark("abnormal")),
    anywhere(["Alt+w"], "ui.key.mark_critical", () => report.words.toggleMark("critical")),
    anywhere(["Alt+s"], "ui.key.next_recording", () => view.stage.nextRecording()),
    anywhere(["Alt+v"], "ui.case.viewer", () => view.openViewer()),
    { keys: ["u"], label: "ui.key.release", run: () => void view.release() },
    { keys: ["j"], label: "ui.key.next", run: () => neighbour(1) },
    { keys: ["p"], label: "ui.key.previous", run: () => neighbour(-1) },
    anywhere(["Escape"], "ui.key.back", leave),
  ];
}
