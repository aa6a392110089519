export function chatScenarios() {}
