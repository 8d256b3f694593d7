"""Chinese words that rules and dictionaries misread: neutral tones, fixed readings, names.

Knows nothing about how they are used; ``g2p_zh`` and ``tone_sandhi`` look them up.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The last character has no tone.
NEUTRAL_WORDS = _words(
    """
    爱人 巴掌 巴结 包袱 包涵 本事 比方 扁担 别扭 玻璃 薄荷 裁缝 财主 苍蝇 差事 柴火 称呼 尺寸 抽屉
    出息 畜生 窗户 聪明 凑合 答应 打扮 打点 打发 打量 打算 打听 大夫 大爷 耽搁 耽误 道士 灯笼 嘀咕
    底下 地方 弟弟 弟兄 点心 惦记 东家 东西 动静 动弹 豆腐 嘟囔 对付 对头 队伍 多么 多少 哆嗦 耳朵
    翻腾 废物 分寸 风筝 福气 父亲 富余 甘蔗 干净 高粱 膏药 告诉 疙瘩 哥哥 胳膊 跟头 工夫 功夫 姑姑
    姑娘 骨头 故事 寡妇 怪物 关系 官司 棺材 罐头 规矩 闺女 蛤蟆 哈欠 含糊 行当 合同 和尚 核桃 红火
    喉咙 后头 厚道 狐狸 胡琴 胡同 葫芦 糊涂 护士 皇上 馄饨 活泼 伙计 火候 机灵 脊梁 记得 记号 记性
    家伙 架势 嫁妆 见识 将就 讲究 交情 叫唤 结实 街坊 姐夫 姐姐 戒指 进项 舅舅 觉得 咳嗽 客气 口袋
    窟窿 快活 困难 阔气 喇叭 喇嘛 烂糊 懒得 浪头 牢骚 老婆 老实 老爷 累赘 冷战 篱笆 里头 力气 厉害
    利落 利索 痢疾 连累 凉快 粮食 两口 铃铛 溜达 琉璃 骆驼 萝卜 妈妈 麻烦 麻利 马虎 码头 买卖 馒头
    忙活 冒失 玫瑰 眉毛 媒人 妹妹 门道 眯缝 迷糊 苗条 名堂 名字 明白 模糊 蘑菇 母亲 木匠 木头 哪个
    那边 那个 那么 奶奶 难为 脑袋 能耐 念叨 念头 娘家 奴才 女婿 暖和 疟疾 牌楼 盘算 朋友 枇杷 琵琶
    脾气 屁股 便宜 漂亮 婆家 婆婆 葡萄 菩萨 铺盖 欺负 亲戚 勤快 清楚 亲家 情形 拳头 热闹 人家 人们
    认得 认识 软和 扫帚 商量 上司 上头 烧饼 少爷 舌头 舍得 什么 生意 牲口 师父 师傅 石匠 石榴 石头
    时候 使唤 世故 事情 似的 收成 收拾 首饰 叔叔 舒服 舒坦 疏忽 爽快 思量 俗气 算计 算盘 岁数 他们
    它们 她们 踏实 太太 特务 甜头 挑剔 跳蚤 铁匠 头发 妥当 唾沫 挖苦 娃娃 外头 晚上 尾巴 委屈 为了
    窝囊 稀罕 媳妇 喜欢 下巴 下头 吓唬 先生 显得 乡下 相声 消息 小气 笑话 谢谢 心思 新鲜 星星 猩猩
    行李 兄弟 休息 秀才 秀气 学生 学问 丫头 衙门 哑巴 胭脂 烟筒 眼睛 砚台 秧歌 养活 吆喝 妖精 钥匙
    爷爷 衣服 衣裳 意思 应酬 冤枉 月饼 月亮 云彩 运气 在乎 咱们 早晨 早上 造化 怎么 扎实 眨巴 栅栏
    张罗 丈夫 丈人 帐篷 招呼 招牌 折腾 这边 这个 这么 枕头 芝麻 知道 知识 值得 指甲 指头 主意 嘱咐
    转悠 壮实 状元 字号 自在 祖宗 嘴巴 作坊 琢磨 爸爸 伯伯 宝宝 你们 我们 背上 桌上 床上 墙上 地上
    头上 脸上 手上 车上 路上 街上 网上 身上 手里 家里 心里 屋里 城里 哪里 这里 那里 夜里 嘴里 眼里
    里边 外边 上边 下边 前边 后边 左边 右边 起来 出来 进来 回来 过来 上来 下来 出去 进去 回去 上去
    下去 晓得 懂得 免得 省得 由得 比画 苗头 前头 荸荠 补丁 炊帚 锄头 刺猬 倒腾 姥爷 两口子 喽啰 泥鳅
    痛快 外甥 邋遢 稳当 希罕 小伙 悟性 妯娌 庄稼 祸害
    """
)
# Keep the tone although they look like neutral ones.
FULL_TONE_WORDS = _words(
    """
    男子 女子 电子 原子 分子 量子 孔子 老子 庄子 孟子 父子 母子 王子 公子 弟子 君子 才子 天子 太子
    质子 中子 粒子 因子 离子 光子 精子 卵子 种子公司 瓜子 莲子 游子 赤子 浪子 骄子 臣子 亲子 逆子
    经过 通过 超过 度过 渡过 难过 不过 路过 功过 改过 好过 目的 的确 了解 了结 了断 了得 沉着 执着
    着想 天下 以上 以下 之上 之下 向上 往上 上下 人人 天天 年年 呵呵 哈哈 嘻嘻 嘿嘿 呜呜
    常常 刚刚 往往 渐渐
    """
)
NOT_RHOTIC = _words("女儿 男儿 婴儿 幼儿 孤儿 胎儿 少儿 孩儿 患儿 妻儿 孙儿 健儿 宠儿 混血儿 托儿")

# Read so wherever these characters stand together.
READINGS: dict[str, str] = dict(
    entry.strip().split(" ", 1)
    for entry in """
    舍不得 she3 bu5 de5 /
    一个劲 yi2 ge5 jin4 / 弹琴 tan2 qin2 / 弹弹 tan2 tan5 / 弹吉他 tan2 ji2 ta1 / 都市 du1 shi4 /
    长长了 zhang3 chang2 le5 / 长长的 chang2 chang2 de5 / 全长 quan2 chang2 / 身长 shen1 chang2 /
    数一数 shu3 yi1 shu3 / 数不清 shu3 bu5 qing1 / 得了吧 de2 le5 ba5 / 嗯 en1 / 呣 mu3 /
    电子 dian4 zi3 / 分子 fen1 zi3 / 量子 liang4 zi3 / 行不行 xing2 bu5 xing2 / 不行 bu4 xing2 /
    还有 hai2 you3 / 还要 hai2 yao4 / 还钱 huan2 qian2 / 还书 huan2 shu1 / 还给 huan2 gei3 /
    还清 huan2 qing1 / 还债 huan2 zhai4 / 还款 huan2 kuan3 / 归还 gui1 huan2 / 称职 chen4 zhi2 /
    对称 dui4 chen4 / 银行卡 yin2 hang2 ka3 / 同行业 tong2 hang2 ye4 / 一行字 yi4 hang2 zi4 /
    第一行 di4 yi1 hang2 / 下一行 xia4 yi4 hang2 / 几行 ji3 hang2 / 两行 liang3 hang2 /
    代码行 dai4 ma3 hang2 / 重做 chong2 zuo4 / 重说 chong2 shuo1 / 重启 chong2 qi3 /
    重装 chong2 zhuang1 / 重置 chong2 zhi4 / 重试 chong2 shi4 / 重来 chong2 lai2 /
    重组 chong2 zu3 / 露出 lu4 chu1 / 露面 lou4 mian4 / 着火 zhao2 huo3 / 着迷 zhao2 mi2 /
    睡着 shui4 zhao2 / 猜着 cai1 zhao2 / 找着 zhao3 zhao2 / 看着 kan4 zhe5 / 背着 bei1 zhe5 /
    似乎 si4 hu1 / 模样 mu2 yang4 / 角色 jue2 se4 / 主角 zhu3 jue2 / 配角 pei4 jue2 /
    尽管 jin3 guan3 / 尽量 jin3 liang4 / 尽快 jin3 kuai4 / 儿子 er2 zi5 / 几乎 ji1 hu1 /
    茶几 cha2 ji1 / 结果 jie2 guo3 / 处理 chu3 li3 / 处于 chu3 yu2 / 相处 xiang1 chu3 /
    切割 qie1 ge1 / 一切 yi2 qie4 / 供应 gong1 ying4 / 应用 ying4 yong4 / 应该 ying1 gai1 /
    答应 da1 ying5 / 答复 da2 fu4 / 下载 xia4 zai4 / 加载 jia1 zai4 / 记载 ji4 zai3 /
    千载 qian1 zai3 / 差别 cha1 bie2 / 差距 cha1 ju4 / 误差 wu4 cha1 / 出差 chu1 chai1 /
    差不多 cha4 bu5 duo1 / 参差 cen1 ci1 / 吐血 tu4 xie3 / 流血 liu2 xue4 / 率领 shuai4 ling3 /
    效率 xiao4 lv4 / 频率 pin2 lv4 / 采样率 cai3 yang4 lv4 / 会计 kuai4 ji4 /
    大都会 da4 du1 hui4 / 创伤 chuang1 shang1 / 散步 san4 bu4 / 散文 san3 wen2 /
    胖乎乎 pang4 hu1 hu1 / 哪儿 na3 er2 / 埋怨 man2 yuan4 / 强迫 qiang3 po4 / 勉强 mian3 qiang3 /
    倔强 jue2 jiang4 / 曾经 ceng2 jing1 / 冠军 guan4 jun1 / 皇冠 huang2 guan1 / 爱好 ai4 hao4 /
    喜好 xi3 hao4 / 好奇 hao4 qi2 / 挑战 tiao3 zhan4 / 挑选 tiao1 xuan3 / 落下 luo4 xia4 /
    丢三落四 diu1 san1 la4 si4 / 量体温 liang2 ti3 wen1 / 测量 ce4 liang2 / 商量 shang1 liang5 /
    打量 da3 liang5 / 丈量 zhang4 liang2 / 中奖 zhong4 jiang3 / 中毒 zhong4 du2 /
    看中 kan4 zhong4 / 命中 ming4 zhong4 / 猜中 cai1 zhong4 / 中意 zhong4 yi4 / 难民 nan4 min2 /
    灾难 zai1 nan4 / 为难 wei2 nan2 / 因为 yin1 wei4 / 作为 zuo4 wei2 / 认为 ren4 wei2 /
    成为 cheng2 wei2 / 以为 yi3 wei2 / 为止 wei2 zhi3 / 兴奋 xing1 fen4 / 兴趣 xing4 qu4 /
    高兴 gao1 xing4 / 宁可 ning4 ke3 / 宁静 ning2 jing4 / 弹幕 dan4 mu4 / 弹窗 tan2 chuang1 /
    数据 shu4 ju4 / 倒数 dao4 shu3 / 数数 shu3 shu5 / 奔波 ben1 bo1 / 投奔 tou2 ben4 /
    转圈 zhuan4 quan1 / 转变 zhuan3 bian4 / 转动 zhuan4 dong4 / 旋转 xuan2 zhuan3 /
    自转 zi4 zhuan4 / 钻石 zuan4 shi2 / 钻研 zuan1 yan2 / 识别 shi2 bie2 /
    语音识别 yu3 yin1 shi2 bie2 / 说服 shuo1 fu2 / 游说 you2 shui4 / 削弱 xue1 ruo4 /
    剥削 bo1 xue1 / 给予 ji3 yu3 / 供给 gong1 ji3 / 号召 hao4 zhao4 / 号叫 hao2 jiao4 /
    吓人 xia4 ren2 / 恐吓 kong3 he4 / 累积 lei3 ji1 / 积累 ji1 lei3 / 连累 lian2 lei5 /
    劳累 lao2 lei4 / 便利 bian4 li4 / 藏族 zang4 zu2 / 西藏 xi1 zang4 / 宝藏 bao3 zang4 /
    隐藏 yin3 cang2 /
    """.strip(" \n/").split("/")
)
# Family names that are said otherwise than the word: after 姓, or before a title.
SURNAMES: dict[str, str] = {
    "单": "shan4",
    "曾": "zeng1",
    "仇": "qiu2",
    "解": "xie4",
    "任": "ren2",
    "朴": "piao2",
    "盖": "ge3",
    "区": "ou1",
    "查": "zha1",
    "翟": "zhai2",
    "乐": "yue4",
    "纪": "ji3",
    "华": "hua4",
    "应": "ying1",
    "宁": "ning4",
    "燕": "yan1",
    "缪": "miao4",
    "葛": "ge3",
    "尹": "yin3",
    "覃": "qin2",
}
TITLES = ("先生", "女士", "老师", "小姐", "总", "主任", "教授", "经理", "医生", "同学")
