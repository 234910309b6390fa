/** The answers of the corrections API. */

export interface Person {
  patient_id: string;
  name: string;
  sex: string;
  birth_date: string | null;
  id_last4: string;
}

export interface FoundOrder {
  accession_number: string;
  modality: string;
  description: string;
  performed: boolean;
}

export interface FoundPerson extends Person {
  id: string;
  orders: FoundOrder[];
}

export type Decision = "same_person" | "reassign" | "leave";

export interface Correction {
  id: string;
  code: string;
  text: string;
  created_at: string;
  count: number;
  study_instance_uid: string;
  modality: string;
  exam: string;
  accession_number: string;
  received_at: string;
  filed: Person;
  filed_id: string;
  number_missing: boolean;
  decisions: Decision[];
}

export interface CorrectionDetail extends Correction {
  received: {
    sop_instance_uid: string;
    person: Person;
    accession_number: string;
    received_at: string;
  } | null;
  ordered: Person | null;
  differing: string[];
}

export interface Identity {
  study_instance_uid: string;
  modality: string;
  exam: string;
  accession_number: string;
  received_at: string;
  filed: Person;
  filed_id: string;
  number_missing: boolean;
  received: Person | null;
  recordings: { sop_instance_uid: string; instance_number: number | null; received_at: string }[];
  signed: number;
}

export interface Outcome {
  study_instance_uid: string | null;
  case_id: string | null;
  person: Person | null;
  changed: boolean;
  withdrawn: number;
  told: number;
}

export interface Resident extends Omit<Person, "patient_id"> {
  id: string;
}

/** Which resident a patient stands under, and whom reports go to because of it. */
export interface Standing {
  id: string;
  person: Person;
  resident: Resident | null;
  linked_at: string | null;
  doctors: string[];
  delivered: number;
}

export interface Holder {
  id_last4: string;
  resident: Resident | null;
  differing: ("name" | "birth_date" | "sex")[];
}

export interface Relinked extends Standing {
  changed: boolean;
  taken_back: number;
  told: number;
}
