// A type only: parsed resources are shared between the parts of the control plane and nobody may change them.

/** T with every property and every list in it readonly, however deep. */
export type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;
