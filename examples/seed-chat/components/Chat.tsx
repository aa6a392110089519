// components/Chat.tsx
import React, { useState } from "react";
import { useWebSocket } from "../hooks/useWebSocket";

export default function Chat() {
  const { connected, messages, send } = useWebSocket("ws://localhost:3001");
  const [text, setText] = useState("");

  return (
    <div>
      <div>Status: {connected ? "connected" : "disconnected"}</div>
      <ul>
        {messages.map((m, i) => (
          <li key={i}>{JSON.stringify(m)}</li>
        ))}
      </ul>
      <input value={text} onChange={(e) => setText(e.target.value)} />
      <button
        onClick={() => {
          send({ msg: text });
          setText("");
        }}
      >
        Send
      </button>
    </div>
  );
}
