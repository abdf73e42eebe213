/** A line of a number's newest samples; it only goes with the number itself, so it says nothing to readers of it. */
export function Spark({ values, most, width, height }: { values: readonly number[]; most: number; width: number; height: number }) {
  const top = Math.max(most, ...values);
  const step = width / Math.max(1, values.length - 1);
  const points = values.map((value, index) => `${(index * step).toFixed(1)},${(height - 1 - (value / top) * (height - 2)).toFixed(1)}`).join(' ');
  return (
    <svg className="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden>
      {values.length > 1 && <polyline points={points} fill="none" stroke="currentColor" strokeWidth={1.5} strokeLinejoin="round" />}
    </svg>
  );
}
