package parhelion.toolstack;

import parhelion.pc.display.Screenshot;

/**
 * What is on a guest's display.
 *
 * @param text the characters of a text mode, line by line without trailing blanks; empty in a
 *     graphics mode
 * @param width of the picture, in pixels
 * @param height of the picture, in pixels
 * @param png the picture
 */
@SuppressWarnings("ArrayRecordComponent")
public record Screen(String text, int width, int height, byte[] png) {
  public static Screen of(Screenshot shot) {
    return new Screen(shot.text(), shot.width(), shot.height(), shot.png());
  }
}
