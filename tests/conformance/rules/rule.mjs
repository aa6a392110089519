// One normative sentence of an RFC in our own short words, and what stands behind it here:
//
//   proven     cases show it: "suite > case" as the runner names them (without the mode), where *
//              stands for anything, or "Suite.Test" for a unit test beside the C++ sources
//   otherwise  we knowingly do something else, say why, and cases show what
//   foreign    it binds somebody else (a client, a proxy) or something that is not here; says whom
//
// `level` is the RFC's keyword; "step" marks a sentence without one that an algorithm makes binding.

export const proven = (section, level, rule, ...cases) => ({ section, level, rule, cases });

export const otherwise = (section, level, rule, reason, ...cases) =>
  ({ section, level, rule, reason, cases, deviates: true });

export const foreign = (section, level, rule, reason) =>
  ({ section, level, rule, reason, cases: [] });
