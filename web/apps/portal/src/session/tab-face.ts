import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
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
