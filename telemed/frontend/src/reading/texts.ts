/** The centre's templates and short codes: `;af` becomes its words where it is typed. */
import { get } from "../core/api";
import type { Case } from "../core/types";

export interface ReportText {
  kind: "template" | "macro";
  code: string;
  title: string;
  findings: string;
  impression: string;
  recommendation: string;
  abnormal: boolean;
  modality: string;
  body_part: string;
}

let known: Promise<ReportText[]> | null = null;

/** Asked for once a page; a failure is no answer, the next case asks again. */
export async function textsFor(item: Case): Promise<ReportText[]> {
  known ??= get<ReportText[]>("/api/v1/report-texts");
  try {
    return (await known).filter((one) => fits(one, item));
  } catch (cause) {
    known = null;
    throw cause;
  }
}

function fits(one: ReportText, item: Case): boolean {
  const part = one.body_part.toLowerCase();
  return ["", item.modality].includes(one.modality) && ["", item.body_part.toLowerCase()].includes(part);
}

export interface Typed {
  text: ReportText;
  /** Where the code stands in the field, its semicolon and the space that ended it included. */
  start: number;
  end: number;
}

/** The code in front of the cursor. One that could still become a longer one waits for a space. */
export function typedCode(texts: readonly ReportText[], value: string, cursor: number): Typed | undefined {
  const found = /[;\uff1b]([a-z0-9]{1,16})( ?)$/.exec(value.slice(0, cursor));
  const [whole, code = "", space] = found ?? [];
  if (!whole) return undefined;
  const text = texts.find((one) => one.code === code);
  const longer = texts.some((one) => one.code !== code && one.code.startsWith(code));
  if (!text || (longer && !space)) return undefined;
  return { text, start: cursor - whole.length, end: cursor };
}
