/** The answers of the API, as its contract names them. Instants are ISO 8601 UTC. */

export type Role =
  | "technician"
  | "reporting_doctor"
  | "reviewing_doctor"
  | "family_doctor"
  | "administrator"
  | "system";

export interface User {
  id: string;
  username: string;
  display_name: string;
  role: Role;
}

export type Priority = "stat" | "urgent" | "routine";
export type CaseState =
  | "waiting"
  | "reading"
  | "awaiting_review"
  | "signing"
  | "final"
  | "repeat_requested"
  | "closed";
export type AiState = "pending" | "done" | "out_of_domain" | "no_model" | "off" | "failed";
export type View = "critical" | "overdue" | "mine" | "returned" | "review" | "waiting" | "all" | "done";

export interface Age {
  value: number;
  unit: string;
}

export interface Patient {
  name: string;
  sex: string;
  age: Age | null;
  patient_id: string;
  id_last4: string;
}

export interface Row {
  id: string;
  state: CaseState;
  priority: Priority;
  effective_priority: Priority;
  raised_because: string;
  deadline: string;
  arrived_at: string;
  modality: string;
  exam: string;
  body_part: string;
  site: string;
  site_id: string;
  patient: Patient;
  accession_number: string;
  history: string;
  holder: { name: string; mine: boolean } | null;
  ai: { state: AiState; flags: string[] };
  study_instance_uid: string;
  order_source: string;
  critical: "critical" | "warning" | null;
  returned: boolean;
  priors: { count: number; latest: string | null };
  /** Sorts as text in the order of the list. */
  position: string;
  /** Without "overdue": into that one a row of "all" comes by the clock. */
  views: View[];
}

export type Counts = Partial<Record<View, number>>;

export interface Worklist {
  rows: Row[];
  next_cursor: string | null;
  counts: Counts;
  /** A count beyond it means "more". */
  count_limit: number;
  now: string;
  last_event_id: string | number | null;
}

export interface Search {
  rows: Row[];
  next_cursor: string | null;
  partial: boolean;
}

export interface Delta {
  rows: Row[];
  gone: string[];
  counts: Counts;
}

export interface Instance {
  sop_instance_uid: string;
  sop_class_uid: string;
  kind: "ecg" | "image" | "document" | "other";
  frames: number | null;
  rows: number | null;
  columns: number | null;
  waveform_url: string | null;
  rendered_url: string | null;
  quality: (string | { code: string; text?: string })[];
}

export interface Series {
  series_instance_uid: string;
  number: number | null;
  modality: string;
  description: string;
  instances: Instance[];
}

export interface Finding {
  name: string;
  probability: number;
  threshold: number;
  flag: boolean;
  code?: { display: string } | null;
}

export interface Analysis {
  id?: string;
  model: { name: string; version: string };
  in_domain: boolean;
  reason: string | null;
  /** The reason in the reader's language. */
  reason_text?: string | null;
  findings: Finding[];
  measurements?: Record<string, number | null> | null;
  statements?: { code: string; text: { zh: string; en: string } }[] | null;
  /** A film's map is fetched only when the reader switches it on. */
  has_heat_map?: boolean;
  /** So is the beat that was measured. */
  has_median_beat?: boolean;
}

export type ReportState =
  | "draft"
  | "awaiting_review"
  | "held"
  | "preliminary"
  | "final"
  | "amended"
  | "withdrawn";

export interface Report {
  id: string;
  number: number;
  state: ReportState;
  findings: string;
  impression: string;
  recommendation: string;
  critical: boolean;
  abnormal: boolean;
  revision: number;
  author: string | null;
  signed_by: string | null;
  signed_at: string | null;
  reviewed_by: string | null;
  reviewed_at: string | null;
  released_at: string | null;
  review_comment: string;
  verification_code: string;
  pdf_url: string | null;
  updated_at: string;
  withdrawn_at: string | null;
  withdrawal_reason: string;
  /** Signed, and until then it can be taken back. */
  hold_until: string | null;
  /** The first signer's words, where the reviewing doctor changed them. */
  submitted: { findings: string; impression: string; recommendation: string } | null;
}

export interface Notice {
  id: string;
  code: string;
  text: string;
  created_at: string;
}

export interface Case extends Row {
  series: Series[];
  analyses: Analysis[];
  ai_reason: string;
  generation: number;
  report: Report | null;
  versions: Report[];
  notices: Notice[];
  can: Record<
    "claim" | "write" | "sign" | "review" | "amend" | "repeat" | "undo" | "preliminary" | "take",
    boolean
  >;
  lease_until: string | null;
  read_again: boolean;
  /** Who would like to go on with it in the place of its holder. */
  asked_by: string;
  repeat: Repeat | null;
  /** What went back and this is the new recording of, or may be. */
  repeats: Repeat[];
  demanded: Partial<Record<"findings" | "impression" | "recommendation", "always" | "when_abnormal">>;
}

/** A box in shares of the picture, or leads of a recording. */
export interface Mark {
  sop_instance_uid: string;
  x: number;
  y: number;
  width: number;
  height: number;
  leads: string[];
  from_ms: number | null;
  to_ms: number | null;
}

/** That a recording went back to be made again, and what became of it. */
export interface Repeat {
  open: boolean;
  reason: string;
  asked_at: string;
  answer_at: string | null;
  closed_at: string | null;
  closed_because: string;
}

export interface Exam {
  study_instance_uid: string;
  modality: string;
  exam: string;
  patient: Patient;
  accession_number: string;
  arrived: number;
  placed: number;
  safe: boolean;
  state: "receiving" | "waiting" | "reading" | "awaiting_review" | "reported" | "repeat" | "repeated";
  reader: string | null;
  report: {
    id: string;
    pdf_url: string | null;
    abnormal: boolean;
    critical: boolean;
    preliminary: boolean;
    released_at: string;
  } | null;
  quality: { code: string; text: string }[];
  repeat_reason: string;
  repeat_mark: (Mark & { picture_url: string | null }) | null;
  repeat: Repeat | null;
  conflicts: number;
  received_at: string;
  order_source: string | null;
}

export interface UploadedObject {
  file: string;
  status: "new" | "repeat" | "alternate" | "conflict" | "refused";
  sop_instance_uid: string | null;
  study_instance_uid: string | null;
  sha256: string;
  size: number;
  problem: string | { detail?: string } | null;
}
