// Words: what the page says in other languages, by what it says in English.

export const WORDS = {
  zh: {
    // the frame
    "Talk, in real time, with yourself.": "与自己实时对话。",
    "Skip to the text box": "跳到输入框",
    "中文": "EN",
    Self: "自我",
    Voice: "声音",
    "Side panel": "侧栏",
    "Colours: auto": "配色：跟随系统",
    "Colours: light": "配色：浅色",
    "Colours: dark": "配色：深色",
    "Light or dark": "浅色或深色",
    "This page needs JavaScript.": "本页需要 JavaScript。",

    // the stage
    "What is being said": "正在说的话",
    "AI voice": "AI 语音",
    "The other self's voice is made by a computer.": "另一个我的声音由计算机生成。",
    "Say something to yourself.": "对自己说句话吧。",
    "Press the microphone, or write. Interrupt whenever you like.": "按下麦克风，或者打字。随时可以打断。",
    Connecting: "连接中",
    Ready: "就绪",
    Listening: "在听",
    Thinking: "在想",
    Speaking: "在说",

    // the composer
    Microphone: "麦克风",
    "Microphone (space bar)": "麦克风（空格键）",
    Message: "消息",
    "…or write it": "……或者写下来",
    "Stop talking": "停止说话",
    "Stop talking (Esc)": "停止说话（Esc）",
    Send: "发送",
    "Send (Enter)": "发送（回车）",
    space: "空格",
    microphone: "麦克风",
    write: "打字",
    silence: "安静",

    // the side panel
    More: "更多",
    Conversation: "对话",
    Timing: "用时",
    You: "我",
    interrupted: "被打断",
    "What is said is written down here; of an interrupted answer, only what you heard.":
      "说过的话会记在这里；被打断的回答只留下听到的部分。",
    "from your last sound to the first sound of the answer (median)": "从话音落下到听见回答（中位数）",
    "Turns, newest first": "各轮用时，最新的在前",

    // where the time of a turn went
    "waiting for the end": "等待说完",
    transcript: "识别",
    "first word of the answer": "回答的第一个词",
    "first clause": "第一个分句",
    phonemes: "音素",
    "planning the sound": "准备发声",
    "first token": "第一个语音单元",
    "first sound made": "第一段声音",
    queues: "排队",
    "to your ear": "传到耳边",
    "to the first sound": "到第一段声音",
    median: "中位数",

    // the token
    "This server asks for its token": "此服务器需要令牌",
    "Whoever started it knows it. It is kept until you close this tab.":
      "启动服务器的人知道它。令牌会保留到关闭此标签页为止。",
    Token: "令牌",
    Connect: "连接",

    // what went wrong
    "No microphone:": "没有麦克风：",
    "this browser does not allow it here. Allow it beside the address, or write.":
      "浏览器不允许在此使用。请在地址栏旁允许，或者打字。",
    "this machine has none that the browser knows. You can write.": "浏览器在这台机器上找不到麦克风。可以打字。",
    "another program holds it. Close that, or write.": "另一个程序正占用它。请关闭那个程序，或者打字。",
    "it needs https, or the server's own machine. You can write.": "需要 https，或在服务器本机上打开。可以打字。",
    "This browser does not cancel echo: please use headphones.": "此浏览器不能消除回声：请戴上耳机。",
    "The microphone is gone; press its button to look for another.": "麦克风不见了；按它的按钮再找一个。",
    "Not connected yet; one moment.": "还没连上，请稍等。",
    "The server does not answer; trying again.": "服务器没有应答，正在重试。",
    "The server is full; trying again.": "服务器已满，正在重试。",
    "The server restarts.": "服务器正在重启。",
    "The connection is lost; trying again.": "连接断开，正在重试。",
    "The answer failed.": "回答失败了。",

    // overlays
    "A face that speaks": "一张说话的脸",
  },
};
