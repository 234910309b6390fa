/** The twelve leads as they travel: uint32 LE length of a JSON head, the head, then int16 LE lead after lead. */

interface Head {
  leads: string[];
  sampling_rate: number;
  samples: number;
  microvolts_per_unit: number;
  missing: number;
}

export interface Waveform {
  leads: readonly string[];
  /** Samples per second. */
  rate: number;
  /** Seconds. */
  duration: number;
  /** Millivolts; NaN where the device recorded nothing. */
  millivolts: ReadonlyMap<string, Float32Array>;
}

export function readWaveform(buffer: ArrayBuffer): Waveform {
  const view = new DataView(buffer);
  const length = view.getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))) as Head;
  const start = 4 + length;
  if (buffer.byteLength - start !== head.leads.length * head.samples * 2) {
    throw new Error(`waveform: ${buffer.byteLength - start} bytes for ${head.leads.length} leads`);
  }
  const millivolts = new Map<string, Float32Array>();
  head.leads.forEach((lead, index) => {
    const values = new Float32Array(head.samples);
    const offset = start + index * head.samples * 2;
    for (let i = 0; i < head.samples; i++) {
      const raw = view.getInt16(offset + i * 2, true);
      values[i] = raw === head.missing ? Number.NaN : (raw * head.microvolts_per_unit) / 1000;
    }
    millivolts.set(lead, values);
  });
  return {
    leads: head.leads,
    rate: head.sampling_rate,
    duration: head.samples / head.sampling_rate,
    millivolts,
  };
}
