import { Button, Group, ScrollArea, Stack, Text } from '@mantine/core';
import type { Hours } from '@oriel/api/management';
import { useRef, useState, type KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { HoursView } from './Value.tsx';
import { choiceOf } from './words.ts';
import { DAYS, HOURS, emptyWeek, hoursOf, weekOf, type Week } from './week.ts';

/** The week as a grid: click, drag, or arrow keys and the space bar. */
export function WeekEditor({ open, onChange }: { open: Hours[]; onChange: (open: Hours[]) => void }) {
  const { t } = useTranslation();
  const week = weekOf(open);
  if (week === null) {
    return (
      <Stack gap="xs">
        <HoursView open={open} />
        <Text size="sm">{t('week.between')}</Text>
        <Group>
          <Button variant="default" size="xs" onClick={() => onChange([])}>
            {t('week.anew')}
          </Button>
        </Group>
      </Stack>
    );
  }
  return <Grid week={week} onChange={(next) => onChange(hoursOf(next))} />;
}

function Grid({ week, onChange }: { week: Week; onChange: (week: Week) => void }) {
  const { t } = useTranslation();
  const [here, setHere] = useState({ day: 0, hour: 8 });
  const painting = useRef<boolean | null>(null);
  // A mouse paints from where it is pressed; the click that follows is done with then.
  const isPainted = useRef(false);
  const grid = useRef<HTMLTableElement>(null);

  const set = (day: number, hour: number, to: boolean) =>
    onChange(week.map((row, index) => (index === day ? row.map((old, place) => (place === hour ? to : old)) : row)));
  const move = (event: KeyboardEvent, day: number, hour: number) => {
    const steps: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const next = { day: Math.min(DAYS.length - 1, Math.max(0, day + step[0])), hour: Math.min(HOURS - 1, Math.max(0, hour + step[1])) };
    setHere(next);
    grid.current?.querySelector<HTMLElement>(`[data-cell="${next.day}-${next.hour}"]`)?.focus();
  };
  const fill = (days: number[], from: number, to: number) => {
    const next = emptyWeek();
    for (const day of days) next[day]?.fill(true, from, to);
    onChange(next);
  };

  return (
    <Stack gap="xs">
      <Group gap="xs">
        <Button variant="default" size="xs" onClick={() => fill([0, 1, 2, 3, 4], 8, 18)}>{t('week.office')}</Button>
        <Button variant="default" size="xs" onClick={() => fill([0, 1, 2, 3, 4, 5, 6], 0, HOURS)}>{t('week.always')}</Button>
        <Button variant="default" size="xs" onClick={() => onChange(emptyWeek())}>{t('week.never')}</Button>
      </Group>
      <Text size="xs" c="dimmed">{t('week.help')}</Text>
      <ScrollArea type="auto" offsetScrollbars="present" viewportProps={{ tabIndex: -1 }}>
        <table ref={grid} className="week" data-testid="week" onPointerUp={() => (painting.current = null)} onClick={() => (isPainted.current = false)} onPointerLeave={() => { painting.current = null; isPainted.current = false; }}>
          <caption style={{ captionSide: 'bottom', position: 'absolute', left: -9999 }}>{t('week.caption')}</caption>
          <thead>
            <tr>
              <td />
              {Array.from({ length: HOURS }, (_, hour) => (
                <th key={hour} scope="col">{hour}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {DAYS.map((name, day) => (
              <tr key={name}>
                <th scope="row" style={{ textAlign: 'start', paddingInlineEnd: 8 }}>{choiceOf('Day', name, t)}</th>
                {Array.from({ length: HOURS }, (_, hour) => {
                  const isOpen = week[day]?.[hour] ?? false;
                  return (
                    <td key={hour}>
                      <button
                        type="button" role="checkbox" aria-checked={isOpen} className="hour" data-cell={`${day}-${hour}`}
                        aria-label={t('week.cell', { day: choiceOf('Day', name, t), from: hour, to: hour + 1 })}
                        tabIndex={here.day === day && here.hour === hour ? 0 : -1}
                        onFocus={() => setHere({ day, hour })}
                        onKeyDown={(event) => move(event, day, hour)}
                        onPointerDown={(event) => {
                          if (event.pointerType !== 'mouse') return;
                          painting.current = !isOpen;
                          isPainted.current = true;
                          set(day, hour, !isOpen);
                        }}
                        onPointerEnter={() => painting.current !== null && set(day, hour, painting.current)}
                        onClick={() => !isPainted.current && set(day, hour, !isOpen)}
                      />
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollArea>
    </Stack>
  );
}
