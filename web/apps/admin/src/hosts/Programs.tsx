import type { Shown } from '../queries.ts';
import { ProgramPicker } from '../publishing/ProgramPicker.tsx';

export default function Programs({ object }: { object: Shown }) {
  return <ProgramPicker host={object.id} />;
}
