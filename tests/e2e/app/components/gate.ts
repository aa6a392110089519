interface Gate {
  readonly passed: Promise<void>;
  readonly open: () => void;
}

// Pages and route handlers are bundles of their own, and share no more than their process.
const kept = globalThis as { anywireGates?: Map<string, Gate> };

/** Something to wait for, until somebody who knows its key opens it. */
export function gateOf(key: string): Gate {
  kept.anywireGates ??= new Map();
  let gate = kept.anywireGates.get(key);
  if (!gate) {
    let open = () => {};
    const passed = new Promise<void>((resolve) => {
      open = resolve;
    });
    gate = { passed, open };
    kept.anywireGates.set(key, gate);
  }
  return gate;
}
