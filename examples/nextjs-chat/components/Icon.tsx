/** The few drawings the page needs, as strokes on a 24 by 24 grid. */
const kPaths = {
  send: 'M4.5 12 19.5 4.8 14.6 19.5 11.3 13.2ZM11.3 13.2 19.5 4.8',
  down: 'M12 5v13M6.5 12.5 12 18l5.5-5.5',
  edit: 'M5 19h3.2L18.6 8.6a2 2 0 0 0 0-2.8l-.4-.4a2 2 0 0 0-2.8 0L5 15.8Z',
  cloudOff:
    'M4 4l16 16M8.2 8.6A5 5 0 0 0 6.8 18H17M19.6 16.6A3.8 3.8 0 0 0 16.5 11 5 5 0 0 0 11.3 7.1',
  clock: 'M12 7.5V12l3 1.8M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z',
  refresh: 'M19 12a7 7 0 1 1-2.2-5.1M19 3.6v4h-4',
  plus: 'M12 5.5v13M5.5 12h13',
  alert: 'M12 8v5M12 16.4v.1M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z',
} as const;

export function Icon({ name }: { name: keyof typeof kPaths }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={kPaths[name]} />
    </svg>
  );
}

/** The wordmark's wave. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="9" />
      <path d="M7 21c4 0 4-10 9-10s5 10 9 10" />
      <circle cx="7" cy="21" r="2.6" />
      <circle cx="25" cy="21" r="2.6" />
    </svg>
  );
}
