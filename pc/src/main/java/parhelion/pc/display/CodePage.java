package parhelion.pc.display;

/** The characters of a PC's text mode: code page 437, with pictures for control characters. */
final class CodePage {
  private static final String LOW = " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼";
  private static final String HIGH =
      "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
          + "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ";

  private CodePage() {}

  static char character(int code) {
    if (code < 0x20) {
      return LOW.charAt(code);
    }
    return code < 0x7f ? (char) code : code == 0x7f ? '⌂' : HIGH.charAt(code - 0x80);
  }
}
