import { maybe, t } from "./page";
import type { Age, Patient } from "./types";

export function sexText(sex: string): string {
  return maybe(`ui.sex.${sex}`) ?? t("ui.sex.unknown");
}

export function ageText(age: Age | null): string {
  if (!age) return t("ui.age.unknown");
  return maybe(`ui.age.${age.unit}`, { value: age.value }) ?? `${age.value} ${age.unit}`;
}

export function sexAge(patient: Patient): string {
  return `${sexText(patient.sex)} ${ageText(patient.age)}`;
}

/** The last four characters of the ID card; where there is none, so in words. */
export function last4(patient: Patient): string {
  return patient.id_last4 ? `···${patient.id_last4}` : t("ui.id.none");
}
