package parhelion.media.rootfs;

import java.util.List;

/**
 * How an image is meant to be run. Nothing is known of a directory or a tar ball.
 *
 * @param environment {@code NAME=VALUE}
 * @param command the entry point and its arguments; empty if there is none
 * @param user a name or number, with a group behind a colon perhaps; empty for root
 * @param directory where it begins; empty for the root
 */
public record ImageConfig(
    List<String> environment, List<String> command, String user, String directory) {
  public static final ImageConfig NONE = new ImageConfig(List.of(), List.of(), "", "");
}
