"""English words that the pronouncing dictionary lacks or gives in an older way: one a line.

Knows nothing about how they are found; ``g2p_en`` lays them over the dictionary.
"""

WORDS = """
's Z
ai-powered EY1 AY1 P AW1 ER0 D
airbnb EH2 R B IY2 EH1 N B IY2
airpods EH1 R P AA2 D Z
alexa AH0 L EH1 K S AH0
alibaba AA2 L IY0 B AA1 B AH0
an AE1 N
anthropic AE0 N TH R AA1 P IH0 K
async EY1 S IH2 NG K
avocado AE2 V AH0 K AA1 D OW0
aww AO1
backend B AE1 K EH2 N D
baidu B AY1 D UW2
biden B AY1 D AH0 N
bitcoin B IH1 T K OY2 N
blockchain B L AA1 K CH EY2 N
bluetooth B L UW1 T UW2 TH
boolean B UW1 L IY0 AH0 N
brexit B R EH1 K S IH0 T
brr B ER1
bytedance B AY1 T D AE2 N S
cafe K AH0 F EY1
chatbot CH AE1 T B AA2 T
chatgpt CH AE1 T JH IY2 P IY2 T IY1
cloudflare K L AW1 D F L EH2 R
codec K OW1 D EH2 K
config K AH0 N F IH1 G
covid K OW1 V IH0 D
crypto K R IH1 P T OW2
cryptocurrency K R IH1 P T OW0 K ER2 AH0 N S IY0
cuda K UW1 D AH0
cybersecurity S AY2 B ER0 S IH0 K Y UH1 R AH0 T IY0
dataset D EY1 T AH0 S EH2 T
debian D EH1 B IY0 AH0 N
decoder D IY0 K OW1 D ER0
deepfake D IY1 P F EY2 K
deepseek D IY1 P S IY2 K
devops D EH1 V AA2 P S
discord D IH1 S K AO2 R D
django JH AE1 NG G OW0
docker D AA1 K ER0
dunno D AH0 N OW1
elon IY1 L AA2 N
embedding EH0 M B EH1 D IH0 NG
embeddings EH0 M B EH1 D IH0 NG Z
emoji IH0 M OW1 JH IY0
encoder EH0 N K OW1 D ER0
esports IY1 S P AO2 R T S
ethereum IH0 TH IH1 R IY0 AH0 M
etsy EH1 T S IY0
facebook F EY1 S B UH2 K
ffmpeg EH1 F EH1 F EH1 M P EH2 G
fiance F IY2 AA2 N S EY1
fintech F IH1 N T EH2 K
firefox F AY1 R F AA2 K S
fps EH1 F P IY1 EH1 S
frontend F R AH1 N T EH2 N D
gemini JH EH1 M AH0 N AY2
gibibyte G IH1 B IY0 B AY2 T
gimme G IH1 M IY0
github G IH1 T HH AH2 B
gitlab G IH1 T L AE2 B
gmail JH IY1 M EY2 L
gonna G AA1 N AH0
google G UW1 G AH0 L
googled G UW1 G AH0 L D
gotta G AA1 T AH0
grr G ER1
haha HH AA2 HH AA1
hahaha HH AA2 HH AA2 HH AA1
hashtag HH AE1 SH T AE2 G
hehe HH IY2 HH IY1
hm HH M
hmm HH M
hololive HH OW1 L OW0 L AY2 V
homepage HH OW1 M P EY2 JH
huawei W AA1 W EY2
huggingface HH AH1 G IH0 NG F EY2 S
influencer IH1 N F L UW0 AH0 N S ER0
instagram IH1 N S T AH0 G R AE2 M
ios AY1 OW1 EH1 S
ipad AY1 P AE2 D
javascript JH AA1 V AH0 S K R IH2 P T
jpeg JH EY1 P EH2 G
json JH EY1 S AH0 N
kickstarter K IH1 K S T AA2 R T ER0
kinda K AY1 N D AH0
kotlin K AA1 T L IH0 N
kubernetes K UW2 B ER0 N EH1 T IY0 Z
laptop L AE1 P T AA2 P
latex L EY1 T EH2 K S
latte L AA1 T EY2
lemme L EH1 M IY0
lidar L AY1 D AA2 R
linkedin L IH2 NG K T IH1 N
linux L IH1 N AH0 K S
llama L AA1 M AH0
login L AO1 G IH2 N
lora L AO1 R AH0
malware M AE1 L W EH2 R
mastodon M AE1 S T AH0 D AA2 N
matplotlib M AE1 T P L AA2 T L IH2 B
mebibyte M EH1 B IY0 B AY2 T
meh M EH1
metadata M EH1 T AH0 D EY2 T AH0
metaverse M EH1 T AH0 V ER2 S
mhm M HH AH1 M
midjourney M IH1 D JH ER2 N IY0
minecraft M AY1 N K R AE2 F T
mistral M IH2 S T R AA1 L
miz M IH1 Z
mongodb M AA1 NG G OW0 D IY2 B IY1
multimodal M AH2 L T IY0 M OW1 D AH0 L
multithreaded M AH2 L T IY0 TH R EH1 D AH0 D
mysql M AY1 EH1 S K Y UW1 EH1 L
nadella N AH0 D EH1 L AH0
nah N AE1
naive N AY2 IY1 V
nano N AE1 N OW0
netflix N EH1 T F L IH2 K S
neuralink N UH1 R AH0 L IH2 NG K
nginx EH1 N JH IH0 N EH1 K S
nintendo N IH0 N T EH1 N D OW0
numpy N AH1 M P AY2
nvidia EH0 N V IH1 D IY0 AH0
obama OW0 B AA1 M AH0
ok OW2 K EY1
onnx AA1 N IH0 K S
oops UW1 P S
openai OW1 P AH0 N EY1 AY1
opus OW1 P AH0 S
paypal P EY1 P AE2 L
pdf P IY1 D IY1 EH1 F
petabyte P EH1 T AH0 B AY2 T
pfft F T
phishing F IH1 SH IH0 NG
phoneme F OW1 N IY2 M
phonemes F OW1 N IY2 M Z
pinterest P IH1 N T ER0 AH0 S T
pixel P IH1 K S AH0 L
playlist P L EY1 L IH2 S T
pokemon P OW1 K IY0 M AA2 N
postgres P OW1 S T G R EH2 S
postgresql P OW1 S T G R EH2 S K Y UW1 EH1 L
psst P S T
pytorch P AY1 T AO2 R CH
qubit K Y UW1 B IH2 T
quinoa K IY1 N W AA2
qwen K W EH1 N
readme R IY1 D M IY2
reddit R EH1 D IH0 T
redis R EH1 D IH0 S
regex R EH1 JH EH2 K S
repo R IY1 P OW0
resume R IH0 Z UW1 M
résumé R EH1 Z AH0 M EY2
résumés R EH1 Z AH0 M EY2 Z
samsung S AE1 M S AH2 NG
selftalk S EH1 L F T AO2 K
shh SH
siri S IH1 R IY0
smartphone S M AA1 R T F OW2 N
smartwatch S M AA1 R T W AA2 CH
snapchat S N AE1 P CH AE2 T
sorta S AO1 R T AH0
sovits S OW1 V IH0 T S
spotify S P AA1 T AH0 F AY2
sqlite EH1 S K Y UW1 L AY1 T
startup S T AA1 R T AH2 P
sudoku S UW0 D OW1 K UW2
sushi S UW1 SH IY0
tbh T IY1 B IY1 EY1 CH
tensorflow T EH1 N S ER0 F L OW2
tesla T EH1 S L AH0
tiktok T IH1 K T AA2 K
tokenize T OW1 K AH0 N AY2 Z
tokenizer T OW1 K AH0 N AY2 Z ER0
trump T R AH1 M P
tsk T IH1 S K
tsmc T IY1 EH1 S EH1 M S IY1
tsunami S UW0 N AA1 M IY0
twitch T W IH1 CH
typescript T AY1 P S K R IH2 P T
uber UW1 B ER0
ubuntu UH0 B UH1 N T UW0
udemy Y UW1 D AH0 M IY0
ugh AH1 G
unicode Y UW1 N AH0 K OW2 D
unix Y UW1 N IH0 K S
url Y UW1 AA1 R EH1 L
username Y UW1 Z ER0 N EY2 M
vegan V IY1 G AH0 N
venmo V EH1 N M OW0
vim V IH1 M
vlog V L AO1 G
vocoder V OW1 K OW2 D ER0
vtuber V IY1 T UW2 B ER0
vtubers V IY1 T UW2 B ER0 Z
walkthrough W AO1 K TH R UW2
wanna W AA1 N AH0
webcam W EH1 B K AE2 M
wechat W IY1 CH AE2 T
whatsapp W AH1 T S AE2 P
whitelist W AY1 T L IH2 S T
whoa W OW1
wi-fi W AY1 F AY2
wifi W AY1 F AY2
wiki W IH1 K IY0
wikipedia W IH2 K IH0 P IY1 D IY0 AH0
wind W IH1 N D
xbox EH1 K S B AA2 K S
xiaomi SH AW2 M IY1
yaml Y AE1 M AH0 L
yay Y EY1
yep Y EH1 P
youtuber Y UW1 T UW2 B ER0
youtubers Y UW1 T UW2 B ER0 Z
yup Y AH1 P
zelensky Z AH0 L EH1 N S K IY0
zoe Z OW1 IY0
zoey Z OW1 IY0
zuckerberg Z AH1 K ER0 B ER2 G
zzz Z
"""
