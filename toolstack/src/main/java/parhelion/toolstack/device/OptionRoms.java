package parhelion.toolstack.device;

import java.util.Map;

/**
 * Programs for firmware in the ROMs of a PC's cards.
 *
 * @param video the VGA BIOS; empty for none
 * @param cards what boots from a network, by the kind of card
 */
public record OptionRoms(byte[] video, Map<CardModel, byte[]> cards) {
  public static final OptionRoms NONE = new OptionRoms(new byte[0], Map.of());
}
