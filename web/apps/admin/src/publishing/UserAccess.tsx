import { post, type EffectiveAccess } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import type { Shown } from '../queries.ts';
import { Failure } from '../ui/Failure.tsx';
import { Effective } from './Effective.tsx';

export default function UserAccess({ object }: { object: Shown }) {
  const found = useQuery({ queryKey: ['access', object.id, {}], queryFn: () => post<EffectiveAccess>('/why/access', { user: object.id }) });
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  return found.data ? <Effective access={found.data} /> : null;
}
