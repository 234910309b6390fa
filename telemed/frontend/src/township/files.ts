/** Files and whole folders, dropped or chosen. */

/** What systems leave in folders and no machine ever examined. */
const clutter = /^(\.|Thumbs\.db$|desktop\.ini$|DICOMDIR$)/i;

export interface Picked {
  files: File[];
  skipped: number;
}

export function pick(files: Iterable<File>): Picked {
  const all = Array.from(files);
  const wanted = all.filter((file) => !clutter.test(file.name) && file.size > 0);
  return { files: wanted, skipped: all.length - wanted.length };
}

export async function dropped(transfer: DataTransfer): Promise<Picked> {
  // Entries must be taken before the first await: the transfer is emptied after the event.
  const entries = Array.from(transfer.items)
    .map((item) => item.webkitGetAsEntry())
    .filter((entry): entry is FileSystemEntry => entry !== null);
  const plain = Array.from(transfer.files);
  if (entries.length === 0) return pick(plain);
  const found = await Promise.all(entries.map(filesOf));
  return pick(found.flat());
}

async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    return [
      await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)),
    ];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const children: FileSystemEntry[] = [];
  for (;;) {
    // A reader gives at most a hundred entries at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) break;
    children.push(...some);
  }
  return (await Promise.all(children.map(filesOf))).flat();
}
