#!/bin/sh
# Makes the compressed fixtures from a synthesized signal, so that no recording is involved: a
# 1,000 Hz sine of amplitude 0.25 to which, after one second, a 3,000 Hz sine of amplitude
# 0.125 is added, so that a cut taken at the wrong place is noticed. stereo.ogg holds the
# signal on the left and silence on the right.
# The committed files were made by ffmpeg 5.1.9 of Debian 12 (its own flac and aac encoders,
# libmp3lame, libvorbis); another version gives other bytes of the same sound.
set -eu
cd "$(dirname "$0")"

signal='0.25*sin(2*PI*1000*t)+gte(t\,1)*0.125*sin(2*PI*3000*t)'

make() { # channels' expressions, sample rate, seconds, then the encoder's options and the file
    source="aevalsrc=exprs=$1:s=$2:d=$3"
    shift 3
    ffmpeg -y -hide_banner -loglevel error -f lavfi -i "$source" \
        -map_metadata -1 -fflags +bitexact -flags:a +bitexact "$@"
}

make "$signal" 8000 1.2 -c:a flac -compression_level 12 -sample_fmt s16 tone.flac
make "$signal" 22050 2 -c:a libmp3lame -b:a 32k tone.mp3
make "$signal" 22050 2 -c:a libvorbis -q:a 2 tone.ogg
make "$signal" 22050 2 -c:a aac -b:a 32k tone.m4a
make "$signal|0" 44100 1 -c:a libvorbis -q:a 0 stereo.ogg
make "$signal" 48000 1.2 -c:a libopus -b:a 24k -vbr on tone.opus
make "$signal" 48000 1.2 -c:a libopus -b:a 24k -vbr on tone.webm
make "$signal" 22050 1.2 -c:a libvorbis -q:a 0 tone.mka
make "$signal" 8000 0.5 -c:a pcm_s16be tone.caf
make "$signal|0" 22050 0.5 -c:a libmp3lame -b:a 32k -write_xing 0 -id3v2_version 0 stereo.mp3
make "$signal" 22050 0.5 -c:a libmp3lame -b:a 24k -write_xing 0 -id3v2_version 0 mono.mp3
make "$signal" 48000 1.2 -c:a libopus -b:a 24k -vbr on -strict -2 opus.mp4
