// The page's words, in English and Chinese.

const WORDS = {
  lead: ["Your photo never leaves this device: it is painted right here, in the browser.", "照片不会离开您的设备：绘画完全在浏览器中完成。"],
  photo: ["Photo", "照片"],
  painting: ["Painting", "画作"],
  split: ["How much of the photo is shown", "照片显示的比例"],
  choose: ["Choose a photo", "选择照片"],
  examples: ["Example photos", "示例照片"],
  example: ["Example photo", "示例照片"],
  download: ["Download in full size", "下载原尺寸"],
  style: ["Style", "风格"],
  own: ["Your own", "自选画作"],
  strength: ["Strength", "强度"],
  second: ["Second style", "第二种风格"],
  none: ["None", "无"],
  mix: ["Share of the second style", "第二种风格的比例"],
  loading: ["Loading the painter (about 20 MB, once)…", "正在加载模型（约 20 MB，仅一次）…"],
  ready: ["Choose a photo, or drop one anywhere on the page.", "选择一张照片，或将照片拖到页面任意位置。"],
  working: ["Painting…", "正在绘画…"],
  finishing: ["Painting in full size…", "正在以原尺寸绘画…"],
  shrunk: ["The photo is very large; it was painted at", "照片很大，绘画尺寸为"],
  unreadable: ["This file is not a picture that your browser can read.", "浏览器无法读取此图片文件。"],
  small: ["A picture needs at least 16 × 16 pixels.", "图片至少需要 16 × 16 像素。"],
  failed: ["Something went wrong:", "出错了："],
};

const column = navigator.language.startsWith("zh") ? 1 : 0;
document.documentElement.lang = column ? "zh-Hans" : "en";

export const say = (word) => WORDS[word][column];
