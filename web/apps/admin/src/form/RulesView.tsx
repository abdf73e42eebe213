import { List, Text } from '@mantine/core';
import type { Criterion, Rule, Rules } from '@oriel/api/management';
import { Fragment } from 'react';
import { useTranslation } from 'react-i18next';
import { Names } from './Names.tsx';
import { choiceOf } from './words.ts';

/** Rules as sentences, in their order: the first that holds decides. */
export function RulesView({ rules, decided }: { rules: Rules; decided?: number | null }) {
  const { t } = useTranslation();
  const list = rules.rules ?? [];
  const otherwise = rules.otherwise ?? 'allow';
  if (list.length === 0) return <Text size="sm">{t(`rules.everybody.${otherwise}`)}</Text>;
  return (
    <List type="ordered" size="sm">
      {list.map((rule, index) => (
        <List.Item key={index} fw={decided === index ? 650 : undefined}>
          <RuleSentence rule={rule} />
        </List.Item>
      ))}
      <List.Item fw={decided === null ? 650 : undefined}>{t(`rules.otherwise.${otherwise}`)}</List.Item>
    </List>
  );
}

export function RuleSentence({ rule }: { rule: Rule }) {
  const { t } = useTranslation();
  const criteria = rule.criteria ?? [];
  return (
    <>
      {t(`rules.effect.${rule.effect}`)}{' '}
      {criteria.length === 0 && t('rules.always')}
      {criteria.map((criterion, index) => (
        <Fragment key={index}>
          {index > 0 && ` ${t('rules.and')} `}
          <CriterionWords criterion={criterion} />
        </Fragment>
      ))}
      {rule.name !== undefined && rule.name !== '' && (
        <Text component="span" inherit c="dimmed">
          {' '}
          ({rule.name})
        </Text>
      )}
    </>
  );
}

function CriterionWords({ criterion }: { criterion: Criterion }) {
  const { t } = useTranslation();
  const verb = t(criterion.negated ? 'rules.is_not' : 'rules.is');
  const or = ` ${t('rules.or')} `;
  const subject = t(`rules.subject.${criterion.type}`);
  if (criterion.type === 'user' || criterion.type === 'group' || criterion.type === 'gateway') {
    return (
      <>
        {subject} {verb} <Names kind={criterion.type} ids={criterion.objects} word={or} />
      </>
    );
  }
  const objects: readonly unknown[] = criterion.objects;
  const words = objects.map((each) => {
    if (criterion.type === 'client_os') return choiceOf('ClientOs', String(each), t);
    if (typeof each !== 'object' || each === null) return String(each);
    const { kind, minimum_version } = each as { kind: string; minimum_version?: string | null };
    return [choiceOf('ClientKind', kind, t), minimum_version ? t('rules.from_version', { version: minimum_version }) : ''].filter(Boolean).join(' ');
  });
  return (
    <>
      {subject} {verb} {words.join(or)}
    </>
  );
}
