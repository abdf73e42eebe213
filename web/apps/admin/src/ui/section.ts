import { useLocation } from '@tanstack/react-router';
import { useEffect } from 'react';

/** Brings the section that the address names into view: it may not have been there yet when the page was. */
export function useSection(isThere: boolean): void {
  const { hash } = useLocation();
  useEffect(() => {
    if (isThere && hash !== '') document.getElementById(hash)?.scrollIntoView();
  }, [hash, isThere]);
}
