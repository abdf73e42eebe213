/** Does something with many rows, a few at a time, and tells of each how it went. */

/** Enough to be quick, few enough for a broker to do other things. */
const AT_A_TIME = 4;

export type Outcome = 'waiting' | 'done' | { failed: unknown };

export async function runEach<Row extends { id: string }>(
  rows: readonly Row[],
  work: (row: Row) => Promise<unknown>,
  tell: (id: string, outcome: Outcome) => void,
): Promise<void> {
  const queue = [...rows];
  const worker = async () => {
    for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
      const { id } = row;
      await work(row).then(
        () => tell(id, 'done'),
        (error: unknown) => tell(id, { failed: error }),
      );
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}
