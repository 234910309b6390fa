/** localStorage that may be full, blocked or absent: the page then works without its memory. */

export function recall<T>(key: string): T | null {
  try {
    const text = localStorage.getItem(key);
    return text === null ? null : (JSON.parse(text) as T);
  } catch (cause) {
    console.warn(`cannot read ${key} from this browser's storage`, cause);
    return null;
  }
}

/** False when the browser did not keep it. */
export function keep(key: string, value: unknown): boolean {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch (cause) {
    console.warn(`cannot keep ${key} in this browser's storage`, cause);
    return false;
  }
}

export function forget(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch (cause) {
    console.warn(`cannot remove ${key} from this browser's storage`, cause);
  }
}

export function forgetAll(prefix: string): void {
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(prefix)) localStorage.removeItem(key);
  } catch (cause) {
    console.warn(`cannot clear ${prefix} from this browser's storage`, cause);
  }
}
