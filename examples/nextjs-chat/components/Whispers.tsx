import { typingText } from '../lib/people';

/** The one line above the field, always as high as it is: who types, who has come or gone. */
export function Whispers({ typing, arrivals }: { typing: readonly string[]; arrivals: string }) {
  const text = typingText(typing);
  return (
    <p className="whispers">
      {text && (
        <span className="typing">
          <span className="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {text}
        </span>
      )}
      {/* Read aloud, unlike typing, which would interrupt all the time. */}
      <span role="status" className={text ? 'unseen' : undefined}>
        {arrivals}
      </span>
    </p>
  );
}
