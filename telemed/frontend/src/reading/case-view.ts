/** The case page: patient, pictures or ECG, what the machine says, and the report, together. */
import { explain, send } from "../core/api";
import { h } from "../core/dom";
import { message, problemMessage } from "../core/messages";
import { t } from "../core/page";
import { TOLD } from "../core/told";
import type { Case } from "../core/types";
import { aiPanel } from "./ai-panel";
import type { CaseCache } from "./case-cache";
import { caseContext } from "./case-context";
import { CriticalPanel, type Whose } from "./critical-panel";
import { EcgBench } from "./ecg-bench";
import { EcgPanel } from "./ecg-panel";
import { caseActions, identityBar } from "./identity";
import { Latest } from "./latest";
import { OwnReading, type Verdict } from "./own-reading";
import { PicturePanel } from "./picture-panel";
import { PriorsPanel } from "./priors-panel";
import { ReportPanel } from "./report-panel";
import { tick } from "./row";
import { Stage } from "./stage";
import type { LineState } from "./stream";
import { type Judged, nextOpen } from "./verdicts";

export interface CaseHost {
  now(): number;
  back(): void;
  /** A case was signed, reviewed or returned. */
  done(item: Case): void;
  /** The case changed here: the list shows it too. */
  changed(item: Case): void;
  /** Something about a case that is no longer open did not come about. */
  astray(item: Whose, fault: string): void;
}

/** Well inside the server's lease, and only while someone works. */
const RENEW = 5 * 60_000;

export class CaseView {
  readonly element = h("section", {
    class: "case-page",
    hidden: true,
    tabindex: "-1",
    "aria-label": t("ui.case.title"),
  });
  readonly ecg = new EcgPanel();
  readonly pictures = new PicturePanel();
  readonly critical = new CriticalPanel((item, cause) => this.failed(item, cause));
  readonly priors = new PriorsPanel({
    compare: (other) => void this.pictures.act((room) => room.compareWith(other)),
  });
  readonly report: ReportPanel;
  readonly own = new OwnReading({
    hold: (item) => this.hold(item),
    changed: () => this.renderOwn(),
    failed: (item, cause) => this.failed(item, cause),
  });
  readonly bench = new EcgBench({
    own: this.own,
    insert: (text) => this.report.words.insert("findings", text),
    flip: (then) => this.ecg.flip(then),
  });
  item: Case | null = null;
  private id = "";
  private latest = new Latest(() => this.cache.fetch(this.id));
  private lastActivity = 0;
  private readonly identity = h("div", { class: "identity-place" });
  private readonly messages = h("div", { class: "messages" });
  readonly stage: Stage;
  private readonly context = h("div", { class: "context" });
  private readonly ai = h("div", { class: "ai-place" });
  private readonly lost = h("p", { class: "line lost", role: "status", hidden: true }, t("ui.line.lost"));
  private readonly cache: CaseCache;
  private readonly host: CaseHost;

  constructor(cache: CaseCache, host: CaseHost) {
    this.cache = cache;
    const { ecg, bench, pictures } = this;
    this.stage = new Stage(cache, { ecg, bench, pictures });
    this.host = host;
    this.report = new ReportPanel({
      updated: (item) => this.answered(item),
      done: (item) => host.done(item),
      claim: (item) => this.act("claim", item),
      raiseCritical: () => this.critical.ask(),
      said: (item) => this.own.settled(item),
      astray: (item, fault) => host.astray(item, fault),
    });
    this.ecg.onLook = (settings, ink) => this.bench.look(settings, ink);
    this.element.append(
      this.identity,
      this.messages,
      h("div", { class: "left" }, this.stage.element, this.ai),
      h(
        "div",
        { class: "right" },
        this.lost,
        this.critical.element,
        this.context,
        this.priors.element,
        this.report.element,
      ),
    );
    // Who scrolls through a long series and types nothing works all the same.
    const active = (): void => {
      this.lastActivity = Date.now();
    };
    for (const kind of ["input", "keydown", "pointerdown", "pointermove", "wheel"])
      document.addEventListener(kind, active, { capture: true, passive: true });
    window.setInterval(() => this.renewLease(), RENEW);
  }

  async open(id: string): Promise<void> {
    if (this.id === id) return;
    this.close();
    this.id = id;
    this.latest = new Latest(() => this.cache.fetch(id));
    this.element.hidden = false;
    // Out of the text of the case before: the next letter is a command for this one, not a word in it.
    this.element.focus({ preventScroll: true });
    this.lastActivity = Date.now();
    const ahead = this.cache.take(id);
    try {
      const early = ahead && (await ahead.catch(() => undefined));
      if (this.id !== id) return;
      if (early) this.first(early);
      else this.identity.replaceChildren(h("p", { class: "loading", role: "status" }, t("ui.case.loading")));
      const item = await this.latest.ask();
      if (this.id !== id) return;
      if (early) this.take(item);
      else this.first(item);
    } catch (cause) {
      if (this.id !== id) return;
      this.id = "";
      this.identity.replaceChildren();
      this.messages.replaceChildren(
        problemMessage(cause, [
          { label: t("ui.try_again"), run: () => void this.open(id) },
          { label: t("ui.case.back"), run: () => this.host.back() },
        ]),
      );
    }
  }

  close(): void {
    this.report.close();
    this.priors.clear();
    this.critical.clear();
    this.own.close();
    this.bench.close();
    this.pictures.close();
    this.id = "";
    this.item = null;
    this.stage.close();
    this.element.hidden = true;
    for (const place of [this.identity, this.messages, this.context, this.ai]) place.replaceChildren();
  }

  /** The list says that something changed about this case. */
  async refresh(): Promise<void> {
    const { id } = this;
    if (!id || !this.item) return;
    try {
      const item = await this.latest.ask();
      if (this.id === id) this.take(item);
    } catch (cause) {
      if (this.id === id) this.messages.replaceChildren(problemMessage(cause));
    }
  }

  async claim(): Promise<void> {
    if (this.item) await this.act("claim", this.item);
  }

  async release(): Promise<void> {
    if (this.item?.holder?.mine) await this.act("release", this.item);
  }

  /** The list is not in view here, and with it the state of its line. */
  setLine(state: LineState): void {
    this.lost.hidden = state !== "lost";
  }

  tick(): void {
    tick(this.identity, this.host.now());
    this.critical.tick(this.host.now());
  }

  private async act(what: "claim" | "release", acted: Case): Promise<Case | undefined> {
    try {
      const item = await send<Case>("POST", `/api/v1/cases/${encodeURIComponent(acted.id)}/${what}`);
      this.answered(item);
      this.host.changed(item);
      return item;
    } catch (cause) {
      this.failed(acted, cause);
      return undefined;
    }
  }

  /** Told where it belongs: on its case, or beside the one that is open by now. */
  private failed(item: Whose, cause: unknown): void {
    if (this.id === item.id) this.messages.replaceChildren(problemMessage(cause));
    else this.host.astray(item, explain(cause));
  }

  /** The answer to something done here: what was asked for before may say less. The reader may have gone on. */
  private answered(item: Case): void {
    if (this.id !== item.id) return;
    this.latest.overtake();
    this.take(item);
  }

  private first(item: Case): void {
    this.report.open(item);
    this.take(item);
  }

  private take(item: Case): void {
    if (this.item && item.generation > this.item.generation) {
      this.messages.replaceChildren(message("warning", t("ui.case.new_generation")));
    }
    // Taken out of these hands: whoever held it is told by whom, now.
    if (this.item?.holder?.mine && item.holder && !item.holder.mine) window.dispatchEvent(new Event(TOLD));
    this.item = item;
    document.title = t("ui.case.tab", { name: item.patient.name || t("ui.name.none"), exam: item.exam });
    this.renderIdentity(item);
    this.renderContext(item);
    this.own.open(item);
    void this.bench.open(item);
    this.renderOwn();
    this.pictures.answers(item);
    this.report.take(item);
    this.priors.show(item);
    void this.critical.show(item);
    this.stage.show(item);
  }

  /** Whether pictures are open, whose tools have letters of their own. */
  get pictured(): boolean {
    return this.pictures.element.isConnected;
  }

  /** Accept, edit or reject what the machine says next; false where nothing is left to be judged. */
  judgeNext(verdict: Verdict): boolean {
    const { item } = this;
    const open = item && !this.report.busy && (item.can.write || item.can.claim);
    const next = open ? nextOpen(item, this.own) : undefined;
    if (next) this.judge(next, verdict);
    return next !== undefined;
  }

  private judge(one: Judged, verdict: Verdict): void {
    if (this.report.busy) return;
    const back = this.own.verdict(one.analysis, one.finding) === verdict;
    if (back || verdict === "rejected") this.report.words.remove("impression", one.text);
    else this.report.words.insert("impression", one.text, verdict === "edited");
    this.own.judge(one.analysis, one.finding, verdict);
  }

  /** Whoever writes about a case holds it. */
  private async hold(item: Case): Promise<Case | undefined> {
    return !item.can.write && item.can.claim ? this.act("claim", item) : undefined;
  }

  private renderOwn(): void {
    const { item } = this;
    if (!item) return;
    const judging = {
      own: this.own,
      judge: (one: Judged, verdict: Verdict) => this.judge(one, verdict),
    };
    this.ai.replaceChildren(...(item.state === "closed" ? [] : [aiPanel(item, judging)]));
    this.bench.renew();
  }

  private renderIdentity(item: Case): void {
    const actions = caseActions(item, {
      back: () => this.host.back(),
      claim: () => void this.claim(),
      release: () => void this.release(),
      failed: (cause) => this.failed(item, cause),
    });
    this.identity.replaceChildren(identityBar(item, this.host.now(), ...actions));
  }

  private renderContext(item: Case): void {
    this.context.replaceChildren(...caseContext(item));
  }

  openViewer(): boolean {
    const button = this.identity.querySelector<HTMLElement>(".viewer-link");
    button?.click();
    return button !== null;
  }

  private renewLease(): void {
    if (this.item?.holder?.mine && Date.now() - this.lastActivity < RENEW) void this.claim();
  }
}
