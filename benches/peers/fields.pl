# Cuts records into fields with unpack, and counts those that are not blank.
use strict;
use warnings;

my ($layouts, $data) = @ARGV;
my (%template, %count);
open my $table, '<', $layouts or die "$layouts: $!";
while (<$table>) {
    chomp;
    my ($record, undef, $first, $last) = split /\t/;
    $template{$record} .= sprintf '@%dA%d', $first - 1, $last - $first + 1;
    $count{$record}++;
}
my ($cut, $fields, $filled) = (0, 0, 0);
open my $file, '<:raw', $data or die "$data: $!";
while (<$file>) {
    my $record = substr $_, 0, 2;
    my $template = $template{$record} or next;
    $cut++;
    $fields += $count{$record};
    $filled += grep { length } unpack $template, $_;
}
print "$cut $fields $filled\n";
