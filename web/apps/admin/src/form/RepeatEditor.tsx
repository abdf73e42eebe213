import { Chip, Fieldset, Group, NumberInput, Select, Stack, TextInput } from '@mantine/core';
import type { Day } from '@oriel/api/management';
import { useTranslation } from 'react-i18next';
import { readRepeat, writeRepeat, type Repeat } from './repeat.ts';
import { DAYS } from './week.ts';
import { choiceOf } from './words.ts';

const KINDS: readonly Repeat['every'][] = ['once', 'day', 'week', 'month', 'other'];
const fresh: Record<Repeat['every'], Repeat> = {
  once: { every: 'once' },
  day: { every: 'day', interval: 1 },
  week: { every: 'week', interval: 1, days: ['sunday'] },
  month: { every: 'month', interval: 1, day: 1 },
  other: { every: 'other', rule: 'FREQ=MONTHLY;BYDAY=2TU' },
};

export function RepeatEditor({ rule, onChange, label, error }: { rule: string | null; onChange: (rule: string | null) => void; label: string; error?: string | undefined }) {
  const { t } = useTranslation();
  const repeat = readRepeat(rule);
  const set = (next: Repeat) => onChange(writeRepeat(next));
  return (
    <Fieldset legend={label}>
      <Stack gap="sm">
        <Select
          aria-label={label} value={repeat.every} allowDeselect={false} data={KINDS.map((value) => ({ value, label: t(`repeat.every.${value}`) }))}
          onChange={(to) => set(fresh[(to ?? 'once') as Repeat['every']])}
          error={error}
        />
        {(repeat.every === 'day' || repeat.every === 'week' || repeat.every === 'month') && (
          <NumberInput label={t(`repeat.interval.${repeat.every}`)} value={repeat.interval} min={1} max={365} allowDecimal={false} onChange={(to) => set({ ...repeat, interval: Number(to) || 1 })} />
        )}
        {repeat.every === 'week' && (
          <Chip.Group multiple value={repeat.days} onChange={(days: string[]) => set({ ...repeat, days: DAYS.filter((day) => days.includes(day)) as Day[] })}>
            <Group gap="xs" role="group" aria-label={t('repeat.days')}>
              {DAYS.map((day) => (
                <Chip key={day} value={day}>{choiceOf('Day', day, t)}</Chip>
              ))}
            </Group>
          </Chip.Group>
        )}
        {repeat.every === 'month' && (
          <NumberInput label={t('repeat.day')} value={repeat.day} min={1} max={31} allowDecimal={false} onChange={(to) => set({ ...repeat, day: Number(to) || 1 })} />
        )}
        {repeat.every === 'other' && (
          <TextInput label={t('repeat.rule')} value={repeat.rule} maxLength={500} onChange={(event) => onChange(event.currentTarget.value === '' ? 'FREQ=' : event.currentTarget.value)} />
        )}
      </Stack>
    </Fieldset>
  );
}
