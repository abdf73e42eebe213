import { encodeQR } from 'qr';
import { useMemo } from 'react';

const SIZE_PX = 208;
/** ISO/IEC 18004 wants four modules of quiet ground around the code. */
const BORDER = 4;

/** A text as a QR code: black on white in dark pages, too, because that is what cameras read. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const rows = useMemo(() => encodeQR(text, 'raw', { border: BORDER }), [text]);
  const path = rows.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : []))).join('');
  return (
    <svg viewBox={`0 0 ${rows.length} ${rows.length}`} width={SIZE_PX} height={SIZE_PX} shapeRendering="crispEdges" role="img" aria-label={label} data-testid="qr">
      <path fill="#fff" d={`M0 0h${rows.length}v${rows.length}H0z`} />
      <path fill="#000" d={path} />
    </svg>
  );
}
