/** What the server tells a page's scripts: its texts, who is signed in, the zone of the site. */
import type catalogue from "../../../i18n/zh-CN.json";
import type { User } from "./types";

export type TextKey = keyof typeof catalogue;

interface PageData {
  texts: Record<string, string>;
  csrf: string;
  language: string;
  user: User | null;
  zone: string;
  /** A full viewer is installed at an address of its own. */
  viewer: boolean;
}

const block = document.getElementById("page-data");
const given: Partial<PageData> = JSON.parse(block?.textContent || "{}");

export const page: PageData = {
  texts: given.texts ?? {},
  csrf: given.csrf ?? "",
  language: given.language ?? document.documentElement.lang,
  user: given.user ?? null,
  zone: given.zone ?? "Asia/Shanghai",
  viewer: given.viewer ?? false,
};

export type Params = Record<string, string | number>;

function fill(template: string, params: Params): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}

/** A text of the catalogue; the type admits only keys that exist. */
export function t(key: TextKey, params: Params = {}): string {
  return fill(page.texts[key] ?? key, params);
}

/** A text whose key is made from data of the server: undefined when the catalogue has no such text. */
export function maybe(key: string, params: Params = {}): string | undefined {
  const template = page.texts[key];
  return template === undefined ? undefined : fill(template, params);
}
