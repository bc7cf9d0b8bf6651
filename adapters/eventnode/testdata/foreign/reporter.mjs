// One line of JSON for each test, for the Go test that runs the program.
export default async function* (events) {
  for await (const { type, data } of events) {
    const passed = type === "test:pass";
    if (!passed && type !== "test:fail") continue;
    const { name, details } = data;
    const why = details.error?.cause ?? details.error;
    yield JSON.stringify({ name, passed, error: passed ? "" : String(why?.stack ?? why) }) + "\n";
  }
}
