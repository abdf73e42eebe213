import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { resources } from '../queries.ts';
import type { State } from './machine.ts';

export interface Face {
  name: string;
  icon: string | null;
}

/** Gives the browser's tab the program's name and icon, and keeps them when the session is over. */
export function useTabFace(state: State): Face {
  const { t } = useTranslation();
  const [face, setFace] = useState<Face>({ name: '', icon: null });
  const standard = useRef<string | null>(null);

  const launch = 'launch' in state ? state.launch : null;
  // Until a launch tells, the list of programs does: a refusal should name what it refuses.
  const wanted = launch || face.name ? null : state.goal.resource;
  const list = useQuery({ ...resources, enabled: wanted !== null, refetchInterval: false });
  const listed = wanted === null ? undefined : list.data?.resources.find((each) => each.id === wanted);
  if (listed) setFace({ name: listed.name, icon: listed.icon_url });
  if (launch && (launch.resource_name !== face.name || launch.icon_url !== face.icon)) {
    setFace({ name: launch.resource_name, icon: launch.icon_url });
  }

  const mark = state.name === 'ended' ? t('session.tab_ended') : '';
  useEffect(() => {
    const name = face.name || 'Oriel';
    document.title = mark ? `${mark} – ${name}` : name;
    const link = document.querySelector<HTMLLinkElement>('#favicon');
    if (!link) return;
    standard.current ??= link.href;
    link.type = face.icon ? 'image/png' : 'image/svg+xml';
    link.href = face.icon ?? standard.current;
  }, [face, mark]);

  return face;
}
