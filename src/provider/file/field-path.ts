// Field paths as problems carry them, `spec.members[2].service.port`, taken apart for a look-up.
// Knows nothing of YAML; names with dots or slashes stand in brackets and quotes: `metadata.labels["a.b/c"]`.

/** A name in a mapping or a place in a list. */
export type FieldStep = string | number;

const stepPattern = /\.?([^.[\]]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|\['([^']*)'\]/gy;

/** Steps of a path from the outermost in; as far as it can be understood. The empty path has no steps. */
export function parseFieldPath(path: string): FieldStep[] {
  const steps: FieldStep[] = [];
  stepPattern.lastIndex = 0;
  for (;;) {
    const match = stepPattern.exec(path);
    if (match === null) return steps;
    const [, name, index, doubleQuoted, singleQuoted] = match;
    if (index !== undefined) steps.push(Number(index));
    else if (doubleQuoted !== undefined) steps.push(unquote(doubleQuoted));
    else steps.push(name ?? singleQuoted ?? '');
  }
}

function unquote(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text.slice(1, -1);
  }
}
