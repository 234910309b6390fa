/** What the page shows, as its address says it: a view, its cuts, an open case. */
import { FIRST, modalities, type Query, views } from "./worklist";

export interface Place {
  query: Query;
  caseId: string;
}

/** The text sought stands behind the #: a name must not reach the log of any server on the way. */
export function here(): Place {
  const asked = new URLSearchParams(location.search);
  const view = views.find((name) => name === asked.get("view")) ?? FIRST.view;
  const modality = modalities.find((name) => name === asked.get("modality")) ?? "";
  const text = new URLSearchParams(location.hash.slice(1)).get("q") ?? "";
  const caseId = /^\/reading\/cases\/([^/]+)/.exec(location.pathname)?.[1] ?? "";
  const site = asked.get("site") ?? "";
  return { query: { view, modality, site, text }, caseId: decodeURIComponent(caseId) };
}

export function queryUrl(query: Query): string {
  const asked = new URLSearchParams({ view: query.view });
  if (query.modality) asked.set("modality", query.modality);
  if (query.site) asked.set("site", query.site);
  return `?${asked}${query.text ? `#${new URLSearchParams({ q: query.text })}` : ""}`;
}
