// Durations as resources write them.

/** Milliseconds as `1m30s` or `500ms`; whole and not negative. */
export function formatDuration(totalMs: number): string {
  if (totalMs === 0) return '0s';
  const parts = [
    [Math.floor(totalMs / 3_600_000), 'h'],
    [Math.floor(totalMs / 60_000) % 60, 'm'],
    [Math.floor(totalMs / 1_000) % 60, 's'],
    [totalMs % 1_000, 'ms'],
  ] as const;
  return parts.map(([count, unit]) => (count === 0 ? '' : `${count}${unit}`)).join('');
}
