package parhelion.pc.display;

/**
 * What is on a display.
 *
 * @param text the characters of a text mode, line by line without trailing blanks; empty in a
 *     graphics mode
 * @param width of the picture, in pixels
 * @param height of the picture, in pixels
 * @param png the picture
 */
@SuppressWarnings("ArrayRecordComponent")
public record Screenshot(String text, int width, int height, byte[] png) {}
