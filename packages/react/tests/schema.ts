/** A Standard Schema for `{ text: string }`, as a library would make one. */
export const textSchema = {
  '~standard': {
    version: 1 as const,
    vendor: 'test',
    validate: (value: unknown) => {
      const text = (value as { text?: unknown } | null)?.text;
      if (typeof text === 'string') return { value: { text } };
      return { issues: [{ message: 'text must be a string', path: ['text'] }] };
    },
    types: undefined as unknown as
      | { readonly input: { text: string }; readonly output: { text: string } }
      | undefined,
  },
};
