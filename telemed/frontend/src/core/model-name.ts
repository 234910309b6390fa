/** What a model does, in a person's words; which one exactly stands beside it as a detail. */
import { maybe } from "./page";

export function modelName(name: string): string {
  return maybe(`ui.model.${name}`) ?? name;
}
