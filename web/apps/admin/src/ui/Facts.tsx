import { DataList } from '@mantine/core';

/** Something that is so: what it is called, and what it is. */
export type Fact = [label: string, value: React.ReactNode];

/** Facts, one below the other. */
export function Facts({ facts, labelWidth = 'min(240px, 40%)' }: { facts: readonly Fact[]; labelWidth?: string }) {
  return (
    <DataList withDivider labelWidth={labelWidth} className="values">
      {facts.map(([label, value]) => (
        <DataList.Item key={label}>
          <DataList.ItemLabel>{label}</DataList.ItemLabel>
          <DataList.ItemValue>{value}</DataList.ItemValue>
        </DataList.Item>
      ))}
    </DataList>
  );
}
