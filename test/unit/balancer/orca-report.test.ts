import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_ORCA_LENGTH, parseOrcaReport } from '../../../src/balancer/orca-report.ts';

const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

describe('a load report in a response header', () => {
  it.each([
    // Slots as they are.
    ['TEXT named_metrics.ready=12,named_metrics.busy=4', 12, 4],
    ['TEXT named_metrics.ready=12.0, named_metrics.busy=4e0', 12, 4],
    ['TEXT named_metrics.ready=0,named_metrics.busy=8,cpu_utilization=0.1', 0, 8],
    ['JSON {"named_metrics":{"ready":12,"busy":4}}', 12, 4],
    ['JSON {"namedMetrics":{"ready":12,"busy":4,"other":0.5},"cpuUtilization":0.9}', 12, 4],
    // Utilisation, the application's before the processor's.
    ['TEXT cpu_utilization=0.3', 70, 30],
    ['TEXT cpu_utilization:0.7,application_utilization:0.8,mem_utilization:0.9,rps_fractional:1000,eps:2', 20, 80],
    ['TEXT cpu_utilization=0.3,application_utilization=0', 70, 30],
    ['TEXT cpu_utilization=.255', 75, 26],
    ['TEXT  cpu_utilization = 3e-1 , named_metrics.foo = 1', 70, 30],
    ['JSON {"cpu_utilization":0.3,"mem_utilization":0.8}', 70, 30],
    ['JSON {"applicationUtilization":0.45,"cpuUtilization":0.3}', 55, 45],
    ['JSON {"cpu_utilization":0.3,"application_utilization":null,"named_metrics":null}', 70, 30],
    ['JSON {"cpu_utilization":0.3,"named_metrics":{}}', 70, 30],
    // Never below 1, never above 100.
    ['TEXT cpu_utilization=0', 100, 1],
    ['TEXT application_utilization=0', 100, 1],
    ['TEXT cpu_utilization=0.001', 100, 1],
    ['TEXT cpu_utilization=1', 1, 100],
    ['TEXT cpu_utilization=1.7', 1, 100],
    ['TEXT cpu_utilization=1e99', 1, 100],
    // Figures that are not ours need not be numbers that we would take.
    ['TEXT cpu_utilization=0.3,eps=-1', 70, 30],
    ['JSON {"cpu_utilization":0.3,"__proto__":{"application_utilization":0.9}}', 70, 30],
  ])('%s', (value, ready, busy) => {
    expect(parseOrcaReport(value)).toEqual({ kind: 'report', ready, busy });
  });

  it.each([
    ['', 'unknown-form'],
    ['TEXT', 'unknown-form'],
    ['text cpu_utilization=0.3', 'unknown-form'],
    ['cpu_utilization=0.3', 'unknown-form'],
    ['BIN AAAA', 'unknown-form'],
    ['{"cpu_utilization":0.3}', 'unknown-form'],
    ['TEXT ', 'bad-syntax'],
    ['TEXT cpu_utilization', 'bad-syntax'],
    ['TEXT cpu_utilization=0.3,', 'bad-syntax'],
    ['TEXT cpu_utilization=0.3,,eps=1', 'bad-syntax'],
    ['TEXT cpu_utilization=0.3, =1', 'bad-syntax'],
    ['TEXT cpu_utilization=', 'bad-number'],
    ['TEXT cpu_utilization=-0.3', 'bad-number'],
    ['TEXT cpu_utilization="0.3"', 'bad-number'],
    ['TEXT cpu_utilization=NaN', 'bad-number'],
    ['TEXT cpu_utilization=Infinity', 'bad-number'],
    ['TEXT cpu_utilization=0x1', 'bad-number'],
    ['TEXT cpu_utilization=0.3=0.4', 'bad-number'],
    ['TEXT cpu_utilization=0.3,cpu_utilization=0.4', 'repeated-field'],
    ['TEXT eps=1', 'missing-field'],
    ['TEXT named_metrics.ready=4', 'missing-field'],
    ['TEXT named_metrics.busy=4,cpu_utilization=0.3', 'missing-field'],
    ['TEXT named_metrics.ready=4.5,named_metrics.busy=1', 'bad-number'],
    ['TEXT named_metrics.ready=1000001,named_metrics.busy=1', 'bad-number'],
    ['TEXT toString=1', 'missing-field'],
    ['JSON ', 'bad-syntax'],
    ['JSON {', 'bad-syntax'],
    ['JSON null', 'bad-syntax'],
    ['JSON 0.3', 'bad-syntax'],
    ['JSON [{"cpu_utilization":0.3}]', 'bad-syntax'],
    ['JSON {"cpu_utilization":0.3,"named_metrics":[]}', 'bad-syntax'],
    ['JSON {"cpu_utilization":0.3} x', 'bad-syntax'],
    ['JSON {}', 'missing-field'],
    ['JSON {"__proto__":{"cpu_utilization":0.3}}', 'missing-field'],
    ['JSON {"named_metrics":{"__proto__":{"ready":1,"busy":1}}}', 'missing-field'],
    ['JSON {"cpu_utilization":"0.3"}', 'bad-number'],
    ['JSON {"cpu_utilization":-0.3}', 'bad-number'],
    ['JSON {"cpu_utilization":1e999}', 'bad-number'],
    ['JSON {"cpu_utilization":{}}', 'bad-number'],
    ['JSON {"named_metrics":{"ready":-1,"busy":1}}', 'bad-number'],
    [`JSON ${nested(500)}`, 'missing-field'],
    [`TEXT ${'a=1,'.repeat(MAX_ORCA_LENGTH / 4)}a=1`, 'too-long'],
  ])('%s is refused', (value, reason) => {
    expect(parseOrcaReport(value)).toEqual({ kind: 'refused', reason });
  });

  it('takes its own prototype only', () => {
    const polluted = Object.prototype as Record<string, unknown>;
    polluted.cpu_utilization = 0.3;
    try {
      expect(parseOrcaReport('JSON {}')).toEqual({ kind: 'refused', reason: 'missing-field' });
    } finally {
      delete polluted.cpu_utilization;
    }
  });

  it('of any kind gives small numbers or a reason, and never throws', () => {
    const name = fc.oneof(
      fc.constantFrom('cpu_utilization', 'application_utilization', 'named_metrics.ready', 'named_metrics.busy', 'eps'),
      fc.string({ maxLength: 4 }),
    );
    const value = fc.oneof(fc.double().map(String), fc.nat().map(String), fc.string({ maxLength: 6 }));
    const text = fc
      .array(fc.tuple(name, value), { maxLength: 6 })
      .map((all) => all.map((pair) => pair.join('=')).join(','));
    const key = fc.constantFrom(
      'cpu_utilization',
      'cpuUtilization',
      'named_metrics',
      'ready',
      'busy',
      '__proto__',
      'a',
    );
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof({ maxDepth: 3 }, fc.double(), fc.nat(), fc.constant(null), fc.string(), tie('object')),
      object: fc.dictionary(key, tie('json')),
    }));
    const body = fc.oneof(
      text,
      json.map((each) => JSON.stringify(each)),
      fc.json(),
      fc.string({ maxLength: 5000 }),
    );
    fc.assert(
      fc.property(fc.constantFrom('TEXT ', 'JSON ', 'BIN ', ''), body, (form, rest) => {
        const parsed = parseOrcaReport(form + rest);
        if (parsed.kind === 'refused') return /^[a-z-]+$/.test(parsed.reason);
        return [parsed.ready, parsed.busy].every((n) => Number.isInteger(n) && n >= 0 && n <= 1_000_000);
      }),
      { numRuns: 3000 },
    );
  });

  it('calls a member busier the more it is used', () => {
    const utilisation = fc.double({ min: 0, max: 2, noNaN: true });
    const ready = (u: number): number => {
      const parsed = parseOrcaReport(`JSON {"application_utilization":${u}}`);
      return parsed.kind === 'report' ? parsed.ready : Number.NaN;
    };
    fc.assert(
      fc.property(utilisation, utilisation, (a, b) => ready(Math.min(a, b)) >= ready(Math.max(a, b))),
      { numRuns: 500 },
    );
  });
});
