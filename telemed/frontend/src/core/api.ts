/** The one way to the API: CSRF header, problem+json, and a lost line told in words. */
import { page, t } from "./page";

export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly field: string | undefined;
  readonly params: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    code: string,
    detail: string,
    field?: string,
    params: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
    this.status = status;
    this.code = code;
    this.field = field;
    this.params = params;
  }

  /** No answer at all, or the server asks to come back: the same request may be sent again. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

interface ProblemBody {
  title?: string;
  detail?: string;
  code?: string;
  field?: string;
  params?: Record<string, unknown>;
}

export function problemOf(status: number, body: string): Problem {
  let given: ProblemBody = {};
  try {
    given = JSON.parse(body) as ProblemBody;
  } catch {
    // Not the product's own answer (a proxy's page): say what is known, the status.
  }
  const detail = given.detail ?? given.title ?? t("ui.problem.unexpected", { status });
  return new Problem(status, given.code ?? "", detail, given.field, given.params);
}

async function request(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRF-Token"] = page.csrf;
  const init: RequestInit = { method, headers, credentials: "same-origin" };
  if (body instanceof FormData) init.body = body;
  else if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  if (signal) init.signal = signal;
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new Problem(0, "network", t("ui.problem.network"));
  }
  if (!response.ok) throw problemOf(response.status, await whole(response.text()));
  return response;
}

/** The rest of an answer that began well: a line may break in the middle of it. */
async function whole<T>(rest: Promise<T>): Promise<T> {
  try {
    return await rest;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    console.warn("an answer broke off", cause);
    throw new Problem(0, "network", t("ui.problem.broken_off"));
  }
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await request("GET", path, undefined, signal);
  return whole(response.json() as Promise<T>);
}

export async function send<T>(
  method: "POST" | "PUT" | "DELETE",
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const response = await request(method, path, body ?? {}, signal);
  return (response.status === 204 ? undefined : await whole(response.json())) as T;
}

export async function bytes(path: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  const response = await request("GET", path, undefined, signal);
  return whole(response.arrayBuffer());
}

/** What to show a person for anything that was thrown; `fault` where the page itself knows what did not work. */
export function explain(cause: unknown, fault = t("ui.problem.page")): string {
  if (cause instanceof Problem) return cause.message;
  // A program's own words are for those who look after it.
  console.error(cause);
  return fault;
}

export function isSignedOut(cause: unknown): boolean {
  return cause instanceof Problem && cause.status === 401;
}
