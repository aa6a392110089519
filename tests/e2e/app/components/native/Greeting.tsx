/** Scenario 31 edits this text while the page is open. */
export function Greeting() {
  return <p id="greeting">as it was written</p>;
}
