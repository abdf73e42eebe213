import { Text } from '@mantine/core';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { columnsOf } from '../list/columns.tsx';
import { ListView } from '../list/List.tsx';
import type { Shown } from '../queries.ts';

export default function PoolHosts({ object }: { object: Shown }) {
  const { t } = useTranslation();
  const columns = useMemo(() => columnsOf('host', t).filter(({ key }) => key !== 'pool'), [t]);
  return (
    <ListView<Shown>
      within path="hosts" label={t('kinds.host.many')} query={{ filter: `spec.pool:${object.id}` }} columns={columns}
      nameOf={nameOf} searchLabel={t('list.search')} empty={<Text c="dimmed">{t('pool.no_hosts')}</Text>}
    />
  );
}

const nameOf = ({ name }: Shown) => name;
