/** What is asked of dcmjs where no header is read in the page: loggers, and names of transfer syntaxes. */

interface Logger {
  getLogger(name: string): Logger;
  trace(): void;
  debug(): void;
  info(): void;
  log(): void;
  warn(...what: unknown[]): void;
  error(...what: unknown[]): void;
  setLevel(): void;
}

const nothing = (): void => undefined;
const made = (): Logger => ({
  getLogger: made,
  trace: nothing,
  debug: nothing,
  info: nothing,
  log: nothing,
  warn: (...what) => console.warn(...what),
  error: (...what) => console.error(...what),
  setLevel: nothing,
});

export const log = made();
export const constants = {};
