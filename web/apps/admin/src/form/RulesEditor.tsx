import { ActionIcon, Button, Fieldset, Group, MultiSelect, SegmentedControl, Select, Stack, TagsInput, Text, TextInput, Tooltip } from '@mantine/core';
import type { ClientKindMatch, Criterion, Effect, Rule, Rules } from '@oriel/api/management';
import { IconArrowDown, IconArrowUp, IconPlus, IconTrash } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { ObjectMultiSelect } from './Picker.tsx';
import { RuleSentence } from './RulesView.tsx';
import { choiceOf } from './words.ts';

type Type = Criterion['type'];
const TYPES: readonly Type[] = ['group', 'user', 'client', 'client_os', 'client_name', 'address', 'gateway', 'theme', 'hardware_id'];
const CLIENTS = ['browser', 'mstsc', 'windows_app', 'free_rdp', 'launcher', 'other'];
const SYSTEMS = ['windows', 'mac_os', 'linux', 'chrome_os', 'android', 'ios', 'other'];

const moved = <T,>(list: readonly T[], from: number, to: number): T[] => {
  const rest = list.filter((_, index) => index !== from);
  return [...rest.slice(0, to), list[from] as T, ...rest.slice(to)];
};

/** Rules in their order, each with its sentence above what it is made of. */
export function RulesEditor({ rules, onChange }: { rules: Rules; onChange: (rules: Rules) => void }) {
  const { t } = useTranslation();
  const list = rules.rules ?? [];
  const otherwise = rules.otherwise ?? 'allow';
  const set = (next: Rule[]) => onChange({ otherwise, rules: next });

  return (
    <Stack gap="sm">
      {list.length === 0 && <Text size="sm">{t(`rules.everybody.${otherwise}`)}</Text>}
      {list.map((rule, index) => (
        <Fieldset key={index} legend={t('rules.number', { number: index + 1 })}>
          <Group justify="space-between" wrap="nowrap" align="flex-start" mb="sm">
            <Text size="sm" fw={600}>
              <RuleSentence rule={rule} />
            </Text>
            <Group gap={2} wrap="nowrap">
              <Tooltip label={t('rules.up')}>
                <ActionIcon aria-label={`${t('rules.up')}: ${index + 1}`} disabled={index === 0} onClick={() => set(moved(list, index, index - 1))}>
                  <IconArrowUp size={18} />
                </ActionIcon>
              </Tooltip>
              <Tooltip label={t('rules.down')}>
                <ActionIcon aria-label={`${t('rules.down')}: ${index + 1}`} disabled={index === list.length - 1} onClick={() => set(moved(list, index, index + 1))}>
                  <IconArrowDown size={18} />
                </ActionIcon>
              </Tooltip>
              <Tooltip label={t('rules.remove')}>
                <ActionIcon aria-label={`${t('rules.remove')}: ${index + 1}`} onClick={() => set(list.filter((_, place) => place !== index))}>
                  <IconTrash size={18} />
                </ActionIcon>
              </Tooltip>
            </Group>
          </Group>
          <RuleEditor rule={rule} onChange={(next) => set(list.map((old, place) => (place === index ? next : old)))} />
        </Fieldset>
      ))}
      <Group>
        <Button
          variant="default" size="xs" leftSection={<IconPlus size={16} aria-hidden />}
          onClick={() => set([...list, { name: '', effect: 'allow', criteria: [{ type: 'group', objects: [], negated: false }] }])}
        >
          {t('rules.add')}
        </Button>
      </Group>
      <Select
        label={t('rules.otherwise_label')} value={otherwise} allowDeselect={false} onChange={(to) => onChange({ rules: list, otherwise: (to ?? 'allow') as Effect })}
        data={(['allow', 'deny'] as const).map((value) => ({ value, label: t(`rules.otherwise.${value}`) }))}
      />
    </Stack>
  );
}

function RuleEditor({ rule, onChange }: { rule: Rule; onChange: (rule: Rule) => void }) {
  const { t } = useTranslation();
  const criteria = rule.criteria ?? [];
  const unused = TYPES.filter((type) => !criteria.some((each) => each.type === type));
  const set = (next: Criterion[]) => onChange({ ...rule, criteria: next });
  return (
    <Stack gap="sm">
      <Group align="flex-end">
        <SegmentedControl
          aria-label={t('rules.effect_label')} value={rule.effect} onChange={(to) => onChange({ ...rule, effect: to as Effect })}
          data={(['allow', 'deny'] as const).map((value) => ({ value, label: t(`rules.effect.${value}`) }))}
        />
        <TextInput label={t('rules.name')} value={rule.name ?? ''} maxLength={200} flex={1} miw={180} onChange={(event) => onChange({ ...rule, name: event.currentTarget.value })} />
      </Group>
      {criteria.map((criterion, index) => (
        <Group key={criterion.type} align="flex-end" gap="xs" wrap="wrap">
          <Select
            label={t('rules.condition')} value={criterion.type} allowDeselect={false} w={190}
            data={[criterion.type, ...unused].map((type) => ({ value: type, label: t(`rules.subject.${type}`) }))}
            onChange={(to) => set(criteria.map((old, place) => (place === index ? ({ type: to, objects: [], negated: old.negated } as unknown as Criterion) : old)))}
          />
          <SegmentedControl
            aria-label={t('rules.negated_label')} value={criterion.negated ? 'is_not' : 'is'}
            data={[{ value: 'is', label: t('rules.is') }, { value: 'is_not', label: t('rules.is_not') }]}
            onChange={(to) => set(criteria.map((old, place) => (place === index ? { ...old, negated: to === 'is_not' } : old)))}
          />
          <div style={{ flex: 1, minWidth: 200 }}>
            <ObjectsEditor criterion={criterion} onChange={(objects) => set(criteria.map((old, place) => (place === index ? ({ ...old, objects } as Criterion) : old)))} />
          </div>
          <ActionIcon aria-label={`${t('rules.remove_condition')}: ${t(`rules.subject.${criterion.type}`)}`} onClick={() => set(criteria.filter((_, place) => place !== index))}>
            <IconTrash size={18} />
          </ActionIcon>
        </Group>
      ))}
      {unused[0] !== undefined && (
        <Group>
          <Button
            variant="subtle" size="xs" leftSection={<IconPlus size={16} aria-hidden />}
            onClick={() => set([...criteria, { type: unused[0], objects: [], negated: false } as unknown as Criterion])}
          >
            {t('rules.add_condition')}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

function ObjectsEditor({ criterion, onChange }: { criterion: Criterion; onChange: (objects: unknown[]) => void }) {
  const { t } = useTranslation();
  const label = t('rules.one_of');
  switch (criterion.type) {
    case 'user':
    case 'group':
    case 'gateway':
      return <ObjectMultiSelect kind={criterion.type} label={label} value={criterion.objects} onChange={onChange} />;
    case 'client_os':
      return (
        <MultiSelect
          label={label} value={criterion.objects} onChange={onChange} clearButtonProps={{ 'aria-label': t('pick.clear') }}
          data={SYSTEMS.map((value) => ({ value, label: choiceOf('ClientOs', value, t) }))}
        />
      );
    case 'client':
      return (
        <MultiSelect
          label={label} value={criterion.objects.map(({ kind }) => kind)} clearButtonProps={{ 'aria-label': t('pick.clear') }}
          data={CLIENTS.map((value) => ({ value, label: choiceOf('ClientKind', value, t) }))}
          onChange={(kinds) => onChange(kinds.map((kind) => criterion.objects.find((old) => old.kind === kind) ?? ({ kind } as ClientKindMatch)))}
        />
      );
    default:
      return <TagsInput label={label} description={t(`rules.hint.${criterion.type}`)} value={criterion.objects} onChange={onChange} />;
  }
}
